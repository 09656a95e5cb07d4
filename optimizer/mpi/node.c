#include "optimizer/mpi/node.h"

#include "core/model/network.h"
#include "io/archive/network_file.h"
#include "optimizer/mpi/comm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define ALIGNMENT 64u

/* ---- nodes ---- */

static void find_leaders(ioa_node *node)
{
    int rank;
    MPI_Comm_rank(node->everyone, &rank);
    MPI_Comm_rank(node->mates, &node->rank);
    MPI_Comm_split(node->everyone, node->rank == 0 ? 0 : MPI_UNDEFINED, rank, &node->leaders);
    int facts[2] = {0, 0};
    if (node->leaders != MPI_COMM_NULL) {
        MPI_Comm_rank(node->leaders, &facts[0]);
        MPI_Comm_size(node->leaders, &facts[1]);
    }
    MPI_Bcast(facts, 2, MPI_INT, 0, node->mates);
    node->index = facts[0];
    node->nodes = facts[1];
}

/* At most `most` ranks per node. */
static void cut(ioa_node *node, int most)
{
    MPI_Comm smaller;
    MPI_Comm_split(node->mates, node->rank / most, node->rank, &smaller);
    MPI_Comm_free(&node->mates);
    if (node->leaders != MPI_COMM_NULL) MPI_Comm_free(&node->leaders);
    node->mates = smaller;
    find_leaders(node);
}

void ioa_node_open(MPI_Comm everyone, ioa_node *node)
{
    int rank;
    *node = (ioa_node){.everyone = everyone};
    MPI_Comm_rank(everyone, &rank);
    MPI_Comm_split_type(everyone, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &node->mates);
    find_leaders(node);
    const char *text = getenv("IOANNEAL_RANKS_PER_NODE");
    int most = text ? atoi(text) : 0, agreed;
    MPI_Allreduce(&most, &agreed, 1, MPI_INT, MPI_MAX, everyone); /* a launcher may pass it to some ranks only */
    if (agreed > 0) cut(node, agreed);
}

void ioa_node_close(ioa_node *node)
{
    if (node->nodes == 0) return;
    MPI_Comm_free(&node->mates);
    if (node->leaders != MPI_COMM_NULL) MPI_Comm_free(&node->leaders);
    node->nodes = 0;
}

/* ---- windows ---- */

/* Open MPI makes windows of files in a folder of their own kind of file system, and hangs if it cannot: a container's
 * /dev/shm, for example, is often small. So it is looked at beforehand. One rank alone gets ordinary memory. */
static bool can_share(const ioa_node *node, uint64_t bytes)
{
    struct statvfs room;
    int mates;
    MPI_Comm_size(node->mates, &mates);
    if (mates == 1 || node->rank != 0) return true;
    const char *folder = getenv("OMPI_MCA_osc_sm_backing_directory");
    if (!folder) folder = "/dev/shm";
    return access(folder, W_OK) == 0 && statvfs(folder, &room) == 0 &&
           (double)room.f_bavail * (double)room.f_frsize >= 1.01 * (double)bytes + 1048576.0;
}

/* True on all ranks or on none. */
static bool obtain(ioa_node *node, uint64_t bytes, ioa_node_window *window)
{
    int able = can_share(node, bytes), all_able;
    MPI_Allreduce(&able, &all_able, 1, MPI_INT, MPI_MIN, node->everyone);
    if (!all_able) return false;
    MPI_Comm_set_errhandler(node->mates, MPI_ERRORS_RETURN);
    void *mine;
    int good = MPI_Win_allocate_shared(node->rank == 0 ? (MPI_Aint)(bytes + ALIGNMENT) : 0, 1, MPI_INFO_NULL, node->mates,
                                       &mine, &window->window) == MPI_SUCCESS, all;
    MPI_Comm_set_errhandler(node->mates, MPI_ERRORS_ARE_FATAL);
    window->open = good;
    MPI_Allreduce(&good, &all, 1, MPI_INT, MPI_MIN, node->mates);
    int everywhere;
    MPI_Allreduce(&all, &everywhere, 1, MPI_INT, MPI_MIN, node->everyone);
    if (!everywhere) {
        if (all) MPI_Win_free(&window->window);
        window->open = false;
        return false;
    }
    MPI_Aint size;
    int unit;
    MPI_Win_shared_query(window->window, 0, &size, &unit, &window->base);
    uintptr_t skew = (uintptr_t)window->base % ALIGNMENT;
    if (skew) window->base = (char *)window->base + (ALIGNMENT - skew); /* pages begin alike everywhere */
    window->bytes = bytes;
    MPI_Win_lock_all(MPI_MODE_NOCHECK, window->window);
    return true;
}

ioa_status ioa_node_window_create(ioa_node *node, uint64_t bytes, ioa_node_window *window, ioa_error *error)
{
    *window = (ioa_node_window){0};
    if (obtain(node, bytes, window)) return IOA_OK;
    int mates, most;
    MPI_Comm_size(node->mates, &mates);
    MPI_Allreduce(&mates, &most, 1, MPI_INT, MPI_MAX, node->everyone);
    if (most > 1) {
        cut(node, 1);
        node->apart = true;
    }
    if (most > 1 && obtain(node, bytes, window)) return IOA_OK;
    return ioa_fail(error, IOA_ERR_NOMEM, "out of memory: what the ranks of a node share needs %.1f MiB",
                    (double)bytes / 1048576.0);
}

/* Whole pages inside of the window. */
static void protect(const ioa_node_window *window, int access)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)window->base + page - 1) / page * page;
    uintptr_t last = ((uintptr_t)window->base + window->bytes) / page * page;
    if (first < last) (void)mprotect((char *)window->base + (first - (uintptr_t)window->base), last - first, access);
}

void ioa_node_window_seal(ioa_node_window *window)
{
    protect(window, PROT_READ);
    window->sealed = true;
}

void ioa_node_window_destroy(ioa_node_window *window)
{
    if (!window->open) return;
    if (window->sealed) protect(window, PROT_READ | PROT_WRITE);
    MPI_Win_unlock_all(window->window);
    MPI_Win_free(&window->window);
    *window = (ioa_node_window){0};
}

void ioa_node_window_sync(const ioa_node *node, const ioa_node_window *window)
{
    MPI_Win_sync(window->window);
    MPI_Barrier(node->mates);
    MPI_Win_sync(window->window);
}

void ioa_node_window_broadcast(const ioa_node *node, const ioa_node_window *window, int index)
{
    ioa_node_window_sync(node, window);
    if (node->leaders != MPI_COMM_NULL) ioa_comm_broadcast_bytes(node->leaders, index, window->base, window->bytes);
    ioa_node_window_sync(node, window);
}

/* ---- the network ---- */

/* Where everything lies in the window. Returns the bytes it takes; with `base` NULL that is all it is for. */
static uint64_t lay_out(const ioa_network_shape *shape, char *base, ioa_network_memory *memory)
{
    ioa_network_part parts[IOA_NETWORK_PARTS + 3];
    *memory = (ioa_network_memory){0};
    size_t count = ioa_network_parts(shape, &memory->a, parts);
    parts[count++] = (ioa_network_part){(void **)&memory->is_input, shape->neurons, sizeof(bool), true};
    parts[count++] = (ioa_network_part){(void **)&memory->is_output, shape->neurons, sizeof(bool), true};
    parts[count++] = (ioa_network_part){(void **)&memory->destinations, shape->connections, sizeof(uint32_t), true};
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (base) *parts[i].array = base + at;
        at += (parts[i].count * parts[i].size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }
    return at;
}

/* Every node reads its own copy of the path: is it the same network? */
static ioa_status compare_hashes(const ioa_node *node, const ioa_network_reader *reader, const char *path, ioa_error *error)
{
    char own[2][IOA_NETWORK_HASH_TEXT] = {"", ""}, first[2][IOA_NETWORK_HASH_TEXT];
    ioa_status status = ioa_network_reader_hashes(reader, own[0], own[1], error);
    memcpy(first, own, sizeof first);
    MPI_Bcast(first, sizeof first, MPI_BYTE, 0, node->leaders);
    if (status == IOA_OK && memcmp(first, own, sizeof first) != 0)
        return ioa_fail(error, IOA_ERR_INPUT, "%s: holds another network on this node than on the first one", path);
    return status;
}

/* On leaders: the file into the window. */
static ioa_status fill(const ioa_node *node, const ioa_network_reader *reader, const char *path,
                       const ioa_network_memory *memory, ioa_network **network, ioa_error *error)
{
    ioa_status status = compare_hashes(node, reader, path, error);
    if (status == IOA_OK) status = ioa_network_reader_fill(reader, &memory->a, error);
    if (status != IOA_OK) return status;
    status = ioa_network_create_in(memory, network, error);
    if (status != IOA_OK) return ioa_fail_prefix(error, status, "%s", path);
    return node->index == 0 ? ioa_network_reader_check(reader, *network, error) : IOA_OK;
}

ioa_status ioa_node_read_network(ioa_node *node, const char *path, ioa_node_window *window, ioa_network **network,
                                 ioa_error *error)
{
    ioa_network_reader *reader = NULL;
    ioa_network_shape shape = {0};
    ioa_network_memory memory;
    ioa_network *mine = NULL;
    ioa_status status = IOA_OK;
    *window = (ioa_node_window){0};
    if (node->rank == 0) status = ioa_network_reader_open(path, &reader, error);
    if (status == IOA_OK && reader) shape = ioa_network_reader_shape(reader);
    status = ioa_comm_agree(node->everyone, status, true, error);
    MPI_Bcast(&shape, sizeof shape, MPI_BYTE, 0, node->mates);
    if (status == IOA_OK) status = ioa_node_window_create(node, lay_out(&shape, NULL, &memory), window, error);
    if (status == IOA_OK && node->rank == 0 && !reader) status = ioa_network_reader_open(path, &reader, error); /* cut up */
    status = ioa_comm_agree(node->everyone, status, true, error);
    if (status == IOA_OK) (void)lay_out(&shape, window->base, &memory);
    if (status == IOA_OK && node->rank == 0) status = fill(node, reader, path, &memory, &mine, error);
    if (reader) status = ioa_network_reader_close(reader, status, error);
    status = ioa_comm_agree(node->everyone, status, true, error); /* the others sleep while the file is read */
    if (status == IOA_OK) {
        ioa_bounds bounds = mine ? mine->bounds : (ioa_bounds){0};
        MPI_Bcast(&bounds, sizeof bounds, MPI_BYTE, 0, node->mates);
        ioa_node_window_sync(node, window);
        ioa_node_window_seal(window);
        if (!mine) status = ioa_network_map(&memory, bounds, &mine, error);
        status = ioa_comm_agree(node->everyone, status, false, error);
    }
    if (status == IOA_OK)
        *network = mine;
    else {
        ioa_network_destroy(mine);
        ioa_node_window_destroy(window);
    }
    return status;
}

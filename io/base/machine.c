#include "io/base/machine.h"

#include <hwloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* hwloc has no model on some systems and in virtual machines; Linux names it in /proc/cpuinfo. */
static void model_from_proc(char *model, size_t size)
{
    static const char *const keys[] = {"model name", "Model", "cpu model", "Hardware", "cpu"};
    char line[512];
    for (size_t k = 0; k < sizeof keys / sizeof keys[0] && !model[0]; k++) {
        FILE *file = fopen("/proc/cpuinfo", "re");
        if (!file) return;
        while (!model[0] && fgets(line, sizeof line, file)) {
            size_t length = strlen(keys[k]);
            char *value = strchr(line, ':');
            if (strncmp(line, keys[k], length) != 0 || !value || (line[length] != '\t' && line[length] != ' ' && line[length] != ':'))
                continue;
            value += strspn(value, ": \t");
            value[strcspn(value, "\n")] = '\0';
            snprintf(model, size, "%s", value);
        }
        fclose(file);
    }
}

static uint64_t cache_bytes(hwloc_topology_t topology, hwloc_obj_type_t type)
{
    hwloc_obj_t cache = hwloc_get_obj_by_type(topology, type, 0);
    return cache && cache->attr ? cache->attr->cache.size : 0;
}

static void ask_hwloc(ioa_machine *machine)
{
    hwloc_topology_t topology;
    if (hwloc_topology_init(&topology) != 0) return;
    if (hwloc_topology_load(topology) == 0) {
        hwloc_obj_t package = hwloc_get_obj_by_type(topology, HWLOC_OBJ_PACKAGE, 0);
        const char *model = package ? hwloc_obj_get_info_by_name(package, "CPUModel") : NULL;
        if (!model) model = hwloc_obj_get_info_by_name(hwloc_get_root_obj(topology), "CPUModel");
        if (model) snprintf(machine->cpu, sizeof machine->cpu, "%s", model);
        machine->l1d_bytes = cache_bytes(topology, HWLOC_OBJ_L1CACHE);
        machine->l2_bytes = cache_bytes(topology, HWLOC_OBJ_L2CACHE);
        machine->l3_bytes = cache_bytes(topology, HWLOC_OBJ_L3CACHE);
        int cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_CORE);
        if (cores <= 0) cores = hwloc_get_nbobjs_by_type(topology, HWLOC_OBJ_PU);
        machine->cores = cores > 0 ? (uint32_t)cores : 0;
        machine->memory_bytes = hwloc_get_root_obj(topology)->total_memory;
    }
    hwloc_topology_destroy(topology);
}

void ioa_machine_detect(ioa_machine *machine)
{
    *machine = (ioa_machine){0};
    ask_hwloc(machine);
    /* Containers and some hypervisors show hwloc less than the node has. */
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    if (pages > 0 && page > 0 && (uint64_t)pages * (uint64_t)page > machine->memory_bytes)
        machine->memory_bytes = (uint64_t)pages * (uint64_t)page;
    if (!machine->cpu[0]) model_from_proc(machine->cpu, sizeof machine->cpu);
}

/* Segments handed to the ranks that work for a replica: in turn, one each at a time, so that what a helper holds is one
 * segment. The rank with the replica does its own share meanwhile. */
#include "optimizer/search/segment/segment.h"

#include "core/base/mem.h"

/* What goes before the arrays of a task, and before those of a result. */
typedef struct order_slip {
    ioa_segment_course course;
    uint32_t index, count, neurons, chunk; /* count 0: dismissed */
} order_slip;

typedef struct receipt {
    ioa_move_counts counts[IOA_PRICED_MOVE_COUNT];
    int64_t status;
} receipt;

static uint64_t chunks_of(const ioa_segment_task *t)
{
    return (t->count - 1) / t->chunk + 1;
}

/* False if the helper has no room for it. */
static bool send_task(const ioa_crew *crew, uint32_t to, const ioa_segment_task *t)
{
    receipt r;
    const order_slip slip = {.course = t->course, .index = t->index, .count = t->count, .neurons = t->neurons,
                             .chunk = t->chunk};
    crew->send(crew->context, to, &slip, sizeof slip);
    crew->receive(crew->context, to, &r, sizeof r);
    if (r.status != IOA_OK) return false;
    crew->send(crew->context, to, t->order, t->count * sizeof *t->order);
    crew->send(crew->context, to, t->price, chunks_of(t) * sizeof *t->price);
    crew->send(crew->context, to, t->before, t->neurons * sizeof *t->before);
    crew->send(crew->context, to, t->behind, t->neurons * sizeof *t->behind);
    return true;
}

static ioa_status receive_result(const ioa_crew *crew, uint32_t from, const ioa_segment_task *t, ioa_move_counts *counts,
                                 ioa_error *error)
{
    receipt r;
    crew->receive(crew->context, from, &r, sizeof r);
    if (r.status != IOA_OK) return ioa_fail_nomem(error, "a segment on another rank", t->count, 44);
    crew->receive(crew->context, from, t->order, t->count * sizeof *t->order);
    ioa_move_counts_add(counts, r.counts, IOA_PRICED_MOVE_COUNT);
    return IOA_OK;
}

static ioa_segment_task make_task(const ioa_segments *s, const ioa_order_prices *prices, const uint32_t *price,
                                  uint32_t *order, uint32_t i, const ioa_segment_course *course)
{
    const uint64_t w = prices->g->W, from = s->cut[i], to = s->cut[i + 1];
    /* shares that add up: proposals times the steps up to each cut, rounded down */
    ioa_segment_course own = *course;
    own.proposals = (uint64_t)((ioa_u128)course->proposals * to / w) - (uint64_t)((ioa_u128)course->proposals * from / w);
    return (ioa_segment_task){.course = own, .index = i, .count = (uint32_t)(to - from),
                              .neurons = (uint32_t)(s->offset[i + 1] - s->offset[i]),
                              .chunk = prices->chunk, .order = order + from, .price = price + from / prices->chunk,
                              .before = s->before + s->offset[i], .behind = s->behind + s->offset[i]};
}

ioa_status ioa_segments_anneal(const ioa_graph *graph, const ioa_segments *s, const ioa_order_prices *prices,
                               const uint32_t *price, uint32_t *order, const ioa_segment_course *course,
                               const ioa_crew *crew, uint32_t *local, ioa_move_counts *counts, ioa_error *error)
{
    const uint32_t size = crew ? crew->size : 1;
    ioa_status status = IOA_OK;
    for (uint32_t first = 0; first < s->count && status == IOA_OK; first += size) {
        uint32_t sent = 1; /* helpers below it are at work */
        for (; sent < size && first + sent < s->count && status == IOA_OK; sent++) {
            const ioa_segment_task task = make_task(s, prices, price, order, first + sent, course);
            if (send_task(crew, sent, &task)) continue;
            status = ioa_fail_nomem(error, "a segment on another rank", task.count, 44);
            break;
        }
        const ioa_segment_task own = make_task(s, prices, price, order, first, course);
        if (status == IOA_OK) status = ioa_segment_anneal(graph, &own, local, counts, error);
        for (uint32_t i = 1; i < sent; i++) {
            const ioa_segment_task task = make_task(s, prices, price, order, first + i, course);
            const ioa_status theirs = receive_result(crew, i, &task, counts, status == IOA_OK ? error : NULL);
            if (status == IOA_OK) status = theirs;
        }
    }
    return status;
}

void ioa_segments_dismiss(const ioa_crew *crew)
{
    const order_slip slip = {0};
    for (uint32_t i = 1; crew && i < crew->size; i++) crew->send(crew->context, i, &slip, sizeof slip);
}

/* ---- on a helper ---- */

/* Room for a task's arrays, in one piece. */
static uint32_t *room_for(const order_slip *slip, ioa_segment_task *t)
{
    *t = (ioa_segment_task){.course = slip->course, .index = slip->index, .count = slip->count,
                            .neurons = slip->neurons, .chunk = slip->chunk};
    const uint64_t chunks = chunks_of(t);
    uint32_t *room = ioa_alloc(t->count + chunks + 2 * (uint64_t)t->neurons, sizeof *room);
    t->order = room;
    t->price = room + t->count;
    t->before = t->price + chunks;
    t->behind = t->before + t->neurons;
    return room;
}

static void receive_task(const ioa_crew *crew, ioa_segment_task *t, uint32_t *room)
{
    uint32_t *price = room + t->count, *before = price + chunks_of(t);
    crew->receive(crew->context, 0, room, t->count * sizeof *room);
    crew->receive(crew->context, 0, price, chunks_of(t) * sizeof *room);
    crew->receive(crew->context, 0, before, t->neurons * sizeof *room);
    crew->receive(crew->context, 0, before + t->neurons, t->neurons * sizeof *room);
}

ioa_status ioa_segments_assist(const ioa_graph *graph, const ioa_crew *crew, uint32_t *local, ioa_error *error)
{
    ioa_status status = IOA_OK;
    for (;;) {
        order_slip slip;
        ioa_segment_task task = {0};
        crew->receive(crew->context, 0, &slip, sizeof slip);
        if (slip.count == 0) return status;
        uint32_t *room = local ? room_for(&slip, &task) : NULL;
        receipt r = {.status = room ? IOA_OK : ioa_fail_nomem(error, "a segment", slip.count, 44)};
        crew->send(crew->context, 0, &r, sizeof r);
        status = (ioa_status)r.status;
        if (!room) continue;
        receive_task(crew, &task, room);
        r.status = status = ioa_segment_anneal(graph, &task, local, r.counts, error);
        crew->send(crew->context, 0, &r, sizeof r);
        if (r.status == IOA_OK) crew->send(crew->context, 0, task.order, task.count * sizeof *task.order);
        ioa_free(room);
    }
}

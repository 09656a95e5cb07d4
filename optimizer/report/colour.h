/* The colours of the plots, by what they stand for. gnuplot is given a number for each (rgb 0, 0, code); svg.c turns it
 * into the variable of that name, for which style.css has a value for light, dark and paper. */
#ifndef IOA_REPORT_COLOUR_H
#define IOA_REPORT_COLOUR_H

typedef enum report_colour {
    COLOUR_NONE = 0,
    COLOUR_INK,     /* axes */
    COLOUR_MUTED,   /* numbers and names of axes */
    COLOUR_GRID,
    COLOUR_LAYERED, /* what we are compared with */
    COLOUR_BEST,
    COLOUR_BOUND,
    COLOUR_RAMP_0,  /* eight steps from cold to hot */
    COLOUR_RAMP_7 = COLOUR_RAMP_0 + 7,
    COLOUR_KIND_0,  /* eight that are told apart by people of any colour vision */
    COLOUR_KIND_7 = COLOUR_KIND_0 + 7,
    COLOURS
} report_colour;

#define REPORT_RAMP 8
#define REPORT_KINDS 8

/* Name of the variable, without dashes before it; NULL for COLOUR_NONE and beyond the end. */
const char *report_colour_name(int colour);

#endif

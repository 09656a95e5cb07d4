/* gnuplot's SVG made fit to stand in a page. */
#ifndef IOA_REPORT_SVG_H
#define IOA_REPORT_SVG_H

#include "optimizer/report/text.h"

/* Appends the drawing in `drawing` (one SVG document of gnuplot's) as an <svg> element with role img, labelled by the
 * element whose id is `label_id`. Colours become variables (colour.h), fonts the page's; ids, namespaces, definitions,
 * empty groups and superfluous digits go. Returns false if it is no SVG of gnuplot's. */
bool report_svg_inline(const report_text *drawing, const char *label_id, report_text *page);

#endif

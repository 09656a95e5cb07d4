/* Logarithm and exponential from plain IEEE arithmetic. libm's may differ in the last place between machines and
 * between the variants one machine chooses from, and a decision that depends on that place would make ranks of one
 * job disagree. Compiled without contraction (see the top CMakeLists.txt). */
#ifndef IOA_CORE_PORTABLE_MATH_H
#define IOA_CORE_PORTABLE_MATH_H

double ioa_portable_log(double x); /* x > 0, finite; a few ulp */
double ioa_portable_exp(double x); /* a few ulp; 0 below -700, x <= 700 */

#endif

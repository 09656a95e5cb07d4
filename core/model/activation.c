#include <ioanneal/network.h>

#include <string.h>

static const char *const names[IOA_ACT_COUNT] = {
    [IOA_ACT_IDENTITY] = "identity",
    [IOA_ACT_RELU] = "relu",
    [IOA_ACT_GELU] = "gelu",
    [IOA_ACT_GELU_TANH] = "gelu_tanh",
    [IOA_ACT_SIGMOID] = "sigmoid",
    [IOA_ACT_TANH] = "tanh",
    [IOA_ACT_SILU] = "silu",
    [IOA_ACT_LEAKY_RELU] = "leaky_relu",
    [IOA_ACT_CLIPPED_RELU] = "clipped_relu",
    [IOA_ACT_STEP] = "step",
    [IOA_ACT_SIN] = "sin",
    [IOA_ACT_COS] = "cos",
    [IOA_ACT_GAUSSIAN] = "gaussian",
    [IOA_ACT_ABS] = "abs",
    [IOA_ACT_NEGATE] = "negate",
    [IOA_ACT_SQUARE] = "square",
};

const char *ioa_activation_name(unsigned code)
{
    return code < IOA_ACT_COUNT ? names[code] : NULL;
}

int ioa_activation_from_name(const char *name)
{
    for (int code = 0; code < IOA_ACT_COUNT; code++)
        if (strcmp(name, names[code]) == 0) return code;
    return -1;
}

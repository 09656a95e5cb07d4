#include "io/base/hash.h"

#include <openssl/evp.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "hashes are defined over little-endian arrays; this processor needs a conversion first"
#endif

ioa_status ioa_hash_begin(ioa_hash *hash, ioa_error *error)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    hash->context = context;
    hash->failed = false;
    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1) return IOA_OK;
    EVP_MD_CTX_free(context);
    hash->context = NULL;
    return ioa_fail(error, IOA_ERR_SYSTEM, "libcrypto does not provide SHA-256");
}

void ioa_hash_add(ioa_hash *hash, const void *data, uint64_t bytes)
{
    if (bytes && EVP_DigestUpdate(hash->context, data, (size_t)bytes) != 1) hash->failed = true;
}

ioa_status ioa_hash_end(ioa_hash *hash, char *text, ioa_error *error)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    bool good = !hash->failed && EVP_DigestFinal_ex(hash->context, digest, &length) == 1 && length == 32;
    EVP_MD_CTX_free(hash->context);
    hash->context = NULL;
    if (!good) return ioa_fail(error, IOA_ERR_SYSTEM, "libcrypto failed to compute a SHA-256");
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 32; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[64] = '\0';
    return IOA_OK;
}

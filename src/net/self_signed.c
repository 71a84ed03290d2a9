#include "net/self_signed.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

#include "net/tls.h"
#include "os/file.h"

enum { SELF_SIGNED_DAY_S = 86400, SELF_SIGNED_SERIAL_BITS = 127 };

static bool self_signed_paths(const char *directory, char certificate[PATH_MAX], char key[PATH_MAX])
{
    return snprintf(certificate, PATH_MAX, "%s/tls-cert.pem", directory) < PATH_MAX &&
           snprintf(key, PATH_MAX, "%s/tls-key.pem", directory) < PATH_MAX;
}

static bool self_signed_names(X509 *certificate, const char *name)
{
    return X509_check_ip_asc(certificate, name, 0) == 1 || X509_check_host(certificate, name, 0, 0, NULL) == 1;
}

// It can still be used for a while, under all of these names.
static bool self_signed_fits(SSL_CTX *context, const char *const *names, int64_t unix_s)
{
    X509 *certificate = SSL_CTX_get0_certificate(context);
    time_t now = (time_t)unix_s, later = now + (time_t)SELF_SIGNED_RENEWED_BEFORE_DAYS * SELF_SIGNED_DAY_S;
    if (X509_cmp_time(X509_get0_notBefore(certificate), &now) != -1 ||
        X509_cmp_time(X509_get0_notAfter(certificate), &later) != 1)
        return false;
    for (; *names; names++)
        if (!self_signed_names(certificate, *names))
            return false;
    return true;
}

static bool self_signed_add_name(GENERAL_NAMES *all, const char *name)
{
    GENERAL_NAME *one = GENERAL_NAME_new();
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    ASN1_IA5STRING *text = address ? NULL : ASN1_IA5STRING_new();
    bool made = one && (address || (text && ASN1_STRING_set(text, name, -1) == 1));
    if (made)
        GENERAL_NAME_set0_value(one, address ? GEN_IPADD : GEN_DNS, address ? (void *)address : text);
    if (made && sk_GENERAL_NAME_push(all, one) > 0)
        return true;
    if (!made) {
        ASN1_OCTET_STRING_free(address);
        ASN1_IA5STRING_free(text);
    }
    GENERAL_NAME_free(one);
    return false;
}

static bool self_signed_add_names(X509 *certificate, const char *const *names)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    bool good = all;
    for (; good && *names; names++)
        good = self_signed_add_name(all, *names);
    good = good && X509_add1_ext_i2d(certificate, NID_subject_alt_name, all, 0, 0) == 1;
    GENERAL_NAMES_free(all);
    return good;
}

static bool self_signed_add_extension(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    bool good = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

// Each certificate gets a number of its own: browsers refuse two of one issuer with the same.
static bool self_signed_number(X509 *certificate)
{
    BIGNUM *number = BN_new();
    bool good = number && BN_rand(number, SELF_SIGNED_SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return good;
}

// A day of grace for clocks that are behind.
static bool self_signed_fill(X509 *certificate, EVP_PKEY *key, const char *const *names, int64_t unix_s)
{
    time_t now = (time_t)unix_s;
    X509_NAME *name = X509_get_subject_name(certificate);
    const unsigned char *common = (const unsigned char *)"Auralis";
    return X509_set_version(certificate, X509_VERSION_3) == 1 && self_signed_number(certificate) &&
           X509_time_adj_ex(X509_getm_notBefore(certificate), -1, 0, &now) &&
           X509_time_adj_ex(X509_getm_notAfter(certificate), SELF_SIGNED_DAYS, 0, &now) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           self_signed_add_names(certificate, names) &&
           self_signed_add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           self_signed_add_extension(certificate, NID_key_usage, "critical,digitalSignature") &&
           self_signed_add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           X509_sign(certificate, key, EVP_sha256()) > 0;
}

static enum status self_signed_keep(const char *path, BIO *pem, unsigned mode, struct text *fault)
{
    char *bytes;
    long len = BIO_get_mem_data(pem, &bytes);
    enum status status = file_write(path, bytes, (size_t)len, mode);
    if (status != STATUS_OK)
        text_printf(fault, "%s cannot be written: %s", path, status_text(status));
    return status;
}

static enum status self_signed_keep_both(const char *certificate_path, const char *key_path, X509 *certificate,
                                         EVP_PKEY *key, struct text *fault)
{
    BIO *certificate_pem = BIO_new(BIO_s_mem()), *key_pem = BIO_new(BIO_s_secmem());
    enum status status = STATUS_MEMORY;
    if (certificate_pem && key_pem && PEM_write_bio_X509(certificate_pem, certificate) == 1 &&
        PEM_write_bio_PrivateKey(key_pem, key, NULL, NULL, 0, NULL, NULL) == 1) {
        status = self_signed_keep(key_path, key_pem, 0600, fault);
        if (status == STATUS_OK)
            status = self_signed_keep(certificate_path, certificate_pem, 0644, fault);
    }
    BIO_free(certificate_pem);
    BIO_free(key_pem);
    return status;
}

static enum status self_signed_make(const char *certificate_path, const char *key_path, const char *const *names,
                                    int64_t unix_s, struct text *fault)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    enum status status = STATUS_MEMORY;
    if (key && certificate && self_signed_fill(certificate, key, names, unix_s))
        status = self_signed_keep_both(certificate_path, key_path, certificate, key, fault);
    if (status == STATUS_MEMORY)
        text_add(fault, "a certificate cannot be made");
    X509_free(certificate);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return status;
}

enum status self_signed_load(const char *directory, const char *const *names, int64_t unix_s, SSL_CTX **context,
                             bool *made, struct text *fault)
{
    char certificate_path[PATH_MAX], key_path[PATH_MAX], ignored_bytes[256];
    struct text ignored = text_on(ignored_bytes, sizeof ignored_bytes);
    *made = false;
    *context = NULL;
    if (!self_signed_paths(directory, certificate_path, key_path)) {
        text_add(fault, "the name of the data directory is too long");
        return STATUS_INVALID;
    }
    if (tls_load(certificate_path, key_path, context, &ignored) == STATUS_OK) {
        if (self_signed_fits(*context, names, unix_s))
            return STATUS_OK;
        SSL_CTX_free(*context);
        *context = NULL;
    }
    *made = true;
    enum status status = self_signed_make(certificate_path, key_path, names, unix_s, fault);
    return status == STATUS_OK ? tls_load(certificate_path, key_path, context, fault) : status;
}

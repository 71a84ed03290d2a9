// Certificates of our own making, and what is wrong with those of others.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "net/self_signed.h"
#include "net/tls.h"
#include "os/file.h"

enum { DAY_S = 86400 };

static char root[] = "/tmp/auralis-self-signed-test-XXXXXX";
static char certificate_path[128], key_path[128], fault_bytes[512];
static const char *const names[] = {"localhost", "music.local", "127.0.0.1", "::1", "192.0.2.7", NULL};
static int64_t now_s;

static int make_root(void **state)
{
    if (!mkdtemp(root))
        return -1;
    snprintf(certificate_path, sizeof certificate_path, "%s/tls-cert.pem", root);
    snprintf(key_path, sizeof key_path, "%s/tls-key.pem", root);
    now_s = time(NULL);
    return 0;
}

static int empty_root(void **state)
{
    unlink(certificate_path);
    unlink(key_path);
    return 0;
}

static int remove_root(void **state)
{
    empty_root(state);
    return rmdir(root);
}

static SSL_CTX *load(const char *const *wanted, int64_t unix_s, bool *made)
{
    SSL_CTX *context;
    struct text fault = text_on(fault_bytes, sizeof fault_bytes);
    assert_int_equal(STATUS_OK, self_signed_load(root, wanted, unix_s, &context, made, &fault));
    assert_non_null(context);
    return context;
}

static bool made_anew(const char *const *wanted, int64_t unix_s)
{
    bool made;
    SSL_CTX_free(load(wanted, unix_s, &made));
    return made;
}

static void it_names_what_was_asked_for(void **state)
{
    bool made;
    SSL_CTX *context = load(names, now_s, &made);
    X509 *certificate = SSL_CTX_get0_certificate(context);
    assert_true(made);
    assert_int_equal(1, X509_check_host(certificate, "localhost", 0, 0, NULL));
    assert_int_equal(1, X509_check_host(certificate, "MUSIC.local", 0, 0, NULL));
    assert_int_equal(0, X509_check_host(certificate, "other.local", 0, 0, NULL));
    assert_int_equal(1, X509_check_ip_asc(certificate, "127.0.0.1", 0));
    assert_int_equal(1, X509_check_ip_asc(certificate, "::1", 0));
    assert_int_equal(1, X509_check_ip_asc(certificate, "192.0.2.7", 0));
    assert_int_equal(0, X509_check_ip_asc(certificate, "192.0.2.8", 0));
    assert_int_equal(1, X509_verify(certificate, X509_get0_pubkey(certificate)));
    SSL_CTX_free(context);
}

static void the_key_is_private(void **state)
{
    struct stat info;
    assert_true(made_anew(names, now_s));
    assert_int_equal(0, stat(key_path, &info));
    assert_int_equal(0600, info.st_mode & 0777);
    assert_int_equal(0, stat(certificate_path, &info));
    assert_int_equal(0644, info.st_mode & 0777);
}

static void it_is_kept(void **state)
{
    char before[4096], after[4096];
    size_t before_len, after_len;
    assert_true(made_anew(names, now_s));
    assert_int_equal(STATUS_OK, file_read(key_path, before, sizeof before, &before_len));
    assert_false(made_anew(names, now_s));
    assert_false(made_anew(names + 1, now_s));
    assert_int_equal(STATUS_OK, file_read(key_path, after, sizeof after, &after_len));
    assert_string_equal(before, after);
}

static void it_is_renewed_in_time(void **state)
{
    int64_t end_s = now_s + SELF_SIGNED_DAYS * DAY_S, margin_s = SELF_SIGNED_RENEWED_BEFORE_DAYS * DAY_S;
    assert_true(made_anew(names, now_s));
    assert_false(made_anew(names, end_s - margin_s - 60));
    assert_true(made_anew(names, end_s - margin_s + 60));
    assert_false(made_anew(names, end_s - margin_s + 60));
    assert_true(made_anew(names, now_s));  // the clock went back: it is not valid yet
}

static void a_further_name_makes_another(void **state)
{
    static const char *const more[] = {"localhost", "attic.local", NULL};
    static const char *const address[] = {"localhost", "attic.local", "2001:db8::7", NULL};
    assert_true(made_anew(names, now_s));
    assert_true(made_anew(more, now_s));
    assert_true(made_anew(address, now_s));
    assert_false(made_anew(more, now_s));
}

static void what_is_damaged_is_made_anew(void **state)
{
    assert_true(made_anew(names, now_s));
    assert_int_equal(STATUS_OK, file_write(certificate_path, "x", 1, 0644));
    assert_true(made_anew(names, now_s));
    assert_int_equal(STATUS_OK, file_write(key_path, "", 0, 0600));
    assert_true(made_anew(names, now_s));
    unlink(key_path);
    assert_true(made_anew(names, now_s));
    assert_false(made_anew(names, now_s));
}

static enum status load_other(const char *certificate, const char *key)
{
    SSL_CTX *context;
    struct text fault = text_on(fault_bytes, sizeof fault_bytes);
    enum status status = tls_load(certificate, key, &context, &fault);
    if (status != STATUS_OK)
        assert_null(context);
    SSL_CTX_free(context);
    return status;
}

static void faults_are_told_apart(void **state)
{
    char other_key[140];
    snprintf(other_key, sizeof other_key, "%s.other", key_path);
    assert_true(made_anew(names, now_s));
    assert_int_equal(0, rename(key_path, other_key));
    assert_true(made_anew(names, now_s));
    assert_int_equal(STATUS_OK, load_other(certificate_path, key_path));
    assert_int_equal(STATUS_CONFLICT, load_other(certificate_path, other_key));
    assert_non_null(strstr(fault_bytes, "does not belong to the certificate in "));
    assert_int_equal(STATUS_NOT_FOUND, load_other("/nowhere/cert.pem", key_path));
    assert_string_equal("the certificate in /nowhere/cert.pem cannot be read: not found", fault_bytes);
    assert_int_equal(STATUS_NOT_FOUND, load_other(certificate_path, "/nowhere/key.pem"));
    assert_string_equal("the key in /nowhere/key.pem cannot be read: not found", fault_bytes);
    assert_int_equal(STATUS_INVALID, load_other(key_path, key_path));
    assert_non_null(strstr(fault_bytes, "holds no certificate"));
    assert_int_equal(STATUS_INVALID, load_other(certificate_path, certificate_path));
    assert_non_null(strstr(fault_bytes, "holds no key"));
    unlink(other_key);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
    SSL_CTX *context;
    bool made;
    struct text fault = text_on(fault_bytes, sizeof fault_bytes);
    assert_int_equal(STATUS_NOT_FOUND,
                     self_signed_load("/nowhere/at/all", names, now_s, &context, &made, &fault));
    assert_null(context);
    assert_string_equal("/nowhere/at/all/tls-key.pem cannot be written: not found", fault_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, empty_root)
        TEST(it_names_what_was_asked_for), TEST(the_key_is_private), TEST(it_is_kept), TEST(it_is_renewed_in_time),
        TEST(a_further_name_makes_another), TEST(what_is_damaged_is_made_anew), TEST(faults_are_told_apart),
        TEST(a_directory_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}

#include "tools/scala_file.h"

#include "os/file.h"
#include "score/scala.h"

enum status scala_file_read(const char *path, struct tuning *tuning, struct text *failure)
{
    char bytes[SCALA_BYTES_MAX + 1];
    size_t len;
    enum status status = file_read(path, bytes, sizeof bytes, &len);
    text_printf(failure, "--scala: %s: ", path);
    if (status != STATUS_OK)
        text_add(failure, status == STATUS_FULL ? "it is too large to be a scale" : status_text(status));
    else
        status = scala_read(bytes, len, tuning, failure);
    if (status == STATUS_OK)
        *failure = text_on(failure->bytes, failure->cap);
    return status;
}

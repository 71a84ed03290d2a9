// Texts that jansson has made.
#pragma once

// Frees what json_dumps returned, the way the library allocates. Accepts NULL.
void json_text_free(char *text);

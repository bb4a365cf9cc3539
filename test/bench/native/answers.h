/* What the upstream says: the answers of a model server, with the headers that uvicorn sends. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define UVICORN "HTTP/1.1 200 OK\r\ndate: Fri, 20 Nov 2026 00:00:00 GMT\r\nserver: uvicorn\r\n"

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static const char stream_head[] = UVICORN
    "content-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
static char json_answer[2048];
static int json_answer_length;
static char models_answer[512];
static int models_answer_length;

/* The event with which `left` remain, as one HTTP chunk: content, then usage, then [DONE] with the last chunk. */
static int write_event(char *out, int left) {
  char event[256];
  int length;
  unsigned long long stamp = now();
  if (left == 1) {
    length = sprintf(event, "data: [DONE]\n\n");
    return sprintf(out, "%x\r\n%s\r\n0\r\n\r\n", length, event);
  }
  if (left == 2) {
    length = sprintf(event,
                     "data: {\"id\":\"t%019llu\",\"object\":\"chat.completion.chunk\",\"choices\":[],"
                     "\"usage\":{\"prompt_tokens\":100,\"total_tokens\":162,\"completion_tokens\":62}}\n\n",
                     stamp);
  } else {
    length = sprintf(event,
                     "data: {\"id\":\"t%019llu\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
                     "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" tok\"},\"finish_reason\":null}]}\n\n",
                     stamp);
  }
  return sprintf(out, "%x\r\n%s\r\n", length, event);
}

static void prepare_answers(void) {
  static const char tail[] =
      "\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":100,\"total_tokens\":300,\"completion_tokens\":200}}";
  static const char models[] = "{\"object\":\"list\",\"data\":[{\"id\":\"m\",\"object\":\"model\",\"created\":1,\"owned_by\":\"bench\"}]}";
  char body[1025];
  int length = sprintf(body,
                       "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\","
                       "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"");
  memset(body + length, 'y', 1024 - length);
  strcpy(body + 1024 - strlen(tail), tail);
  json_answer_length = sprintf(json_answer, UVICORN "content-length: %zu\r\ncontent-type: application/json\r\n\r\n%s", strlen(body), body);
  models_answer_length =
      sprintf(models_answer, UVICORN "content-length: %zu\r\ncontent-type: application/json\r\n\r\n%s", strlen(models), models);
}

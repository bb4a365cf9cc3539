/*
 * The streaming load of the bench: keeps CONNECTIONS chat streams open, starting the next one when one has ended.
 *
 *   sse-client PORT CONNECTIONS RAMP SETTLE SECONDS USER [HEADERS]
 *
 *   RAMP      new connections each second; 0: as fast as it goes
 *   SETTLE    seconds between the last connection and the window that is measured
 *   SECONDS   length of that window
 *   USER      `user` field of the body: the mode of the upstream, such as bench-sse-10x64
 *   HEADERS   further request header lines, each ending in CR LF
 *
 * Prints the line `window` when the window opens, and one JSON object with what was counted in it when it closes; then it goes
 * on for 5 s, so that the memory of the proxy can be read with all streams open.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINGER_NS 5000000000ull
#define READ_BYTES 262144
#define CARRY_BYTES 64
/* `"id":"t` and 19 digits. */
#define STAMP_MARK "\"id\":\"t"
#define STAMP_MARK_BYTES 7
#define STAMP_BYTES 26

/* One bin each microsecond up to 200 ms, then one each 100 us. */
#define FINE_BINS 200000
#define BINS 400000

typedef struct {
  uint32_t bins[BINS];
  uint64_t count;
} histogram;

typedef struct {
  int fd;
  uint64_t sent_at;
  int has_head;
  int has_chunk;
  int has_done;
  int carry_length;
  char carry[CARRY_BYTES];
} stream;

typedef struct {
  uint64_t streams;
  uint64_t chunks;
  uint64_t reads;
  uint64_t bytes;
  uint64_t errors;
} counts;

static histogram latency;
static histogram first_chunk;
static counts counted;
static char first_error[160];
static char *request;
static int request_length;
static struct sockaddr_in target = {.sin_family = AF_INET};
static int epoll_fd;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static void record(histogram *h, uint64_t ns) {
  uint64_t us = ns / 1000;
  uint64_t bin = us < FINE_BINS ? us : FINE_BINS + (us - FINE_BINS) / 100;
  h->bins[bin < BINS ? bin : BINS - 1]++;
  h->count++;
}

/* Microseconds under which `share` of the values lie; -1 when there are none. */
static double percentile(const histogram *h, double share) {
  uint64_t wanted = h->count * share;
  uint64_t seen = 0;
  for (int i = 0; i < BINS; i++) {
    seen += h->bins[i];
    if (seen > wanted) return i < FINE_BINS ? i : FINE_BINS + (i - FINE_BINS) * 100.0;
  }
  return -1;
}

static void failed(const char *what, const char *detail, int length) {
  counted.errors++;
  if (first_error[0] != 0) return;
  snprintf(first_error, sizeof first_error, "%s%.*s", what, length, detail);
  for (char *at = first_error; *at != 0; at++) {
    if (*at < ' ' || *at == '"' || *at == '\\') *at = ' ';
  }
}

static void ask(stream *s) {
  s->has_head = 0;
  s->has_chunk = 0;
  s->has_done = 0;
  s->carry_length = 0;
  s->sent_at = now();
  if (send(s->fd, request, request_length, MSG_NOSIGNAL) != request_length) failed("send: ", strerror(errno), 80);
}

static void open_stream(stream *s) {
  int one = 1;
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (s->fd < 0 || connect(s->fd, (void *)&target, sizeof target) != 0) {
    failed("connect: ", strerror(errno), 80);
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    return;
  }
  setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, s->fd, &event);
  ask(s);
}

static void reopen(stream *s) {
  close(s->fd);
  open_stream(s);
}

/* Reads the time stamps of all whole events in the buffer; returns the end of the last one. */
static const char *take_stamps(stream *s, const char *bytes, const char *end, uint64_t time) {
  const char *at = bytes;
  for (;;) {
    const char *mark = memmem(at, end - at, STAMP_MARK, STAMP_MARK_BYTES);
    if (mark == NULL || mark + STAMP_BYTES > end) return at;
    uint64_t stamp = 0;
    for (int i = STAMP_MARK_BYTES; i < STAMP_BYTES; i++) stamp = stamp * 10 + (mark[i] - '0');
    record(&latency, time - stamp);
    counted.chunks++;
    if (!s->has_chunk) {
      s->has_chunk = 1;
      record(&first_chunk, time - s->sent_at);
    }
    at = mark + STAMP_BYTES;
  }
}

static void on_readable(stream *s) {
  static char buffer[CARRY_BYTES + READ_BYTES];
  memcpy(buffer, s->carry, s->carry_length);
  ssize_t got = recv(s->fd, buffer + s->carry_length, READ_BYTES, MSG_DONTWAIT);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    if (got == 0 && s->has_done) {
      counted.streams++;
    } else {
      failed("the connection ended inside a stream", "", 0);
    }
    reopen(s);
    return;
  }
  counted.reads++;
  counted.bytes += got;
  int length = s->carry_length + (int)got;
  const char *end = buffer + length;
  if (!s->has_head) {
    s->has_head = 1;
    if (length < 12 || memcmp(buffer, "HTTP/1.1 200", 12) != 0) {
      failed("", buffer, length < 120 ? length : 120);
      reopen(s);
      return;
    }
  }
  const char *rest = take_stamps(s, buffer, end, now());
  if (!s->has_done && memmem(buffer, length, "[DONE]", 6) != NULL) s->has_done = 1;
  if (s->has_done && length >= 5 && memcmp(end - 5, "0\r\n\r\n", 5) == 0) {
    counted.streams++;
    ask(s);
    return;
  }
  int keep = (int)(end - rest);
  if (keep > CARRY_BYTES - 1) keep = CARRY_BYTES - 1;
  memcpy(s->carry, end - keep, keep);
  s->carry_length = keep;
}

static void prepare_request(int port, const char *user, const char *headers) {
  char body[1025];
  int length = snprintf(body, sizeof body,
                        "{\"model\":\"m\",\"stream\":true,\"user\":\"%s\",\"max_tokens\":64,"
                        "\"messages\":[{\"role\":\"user\",\"content\":\"",
                        user);
  static const char tail[] = "\"}]}";
  memset(body + length, 'p', 1024 - length);
  strcpy(body + 1024 - strlen(tail), tail);
  request = malloc(8192);
  request_length = snprintf(request, 8192,
                            "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: OpenAI/Python 1.50\r\n"
                            "Accept: application/json\r\nAuthorization: Bearer sk-1234567890abcdef\r\n"
                            "Content-Type: application/json\r\n%sContent-Length: 1024\r\n\r\n%s",
                            port, headers, body);
}

/* Errors from before the window count too: a proxy that refuses streams is not to look idle. */
static void open_window(void) {
  uint64_t errors = counted.errors;
  memset(&latency, 0, sizeof latency);
  memset(&first_chunk, 0, sizeof first_chunk);
  memset(&counted, 0, sizeof counted);
  counted.errors = errors;
  printf("window\n");
  fflush(stdout);
}

static void print_counts(double seconds) {
  printf("{\"seconds\":%.6f,\"streams\":%lu,\"chunks\":%lu,\"reads\":%lu,\"bytes\":%lu,\"errors\":%lu,\"firstError\":\"%s\","
         "\"latencyUs\":{\"p50\":%.0f,\"p95\":%.0f,\"p99\":%.0f},\"firstChunkUs\":{\"p50\":%.0f,\"p99\":%.0f}}\n",
         seconds, counted.streams, counted.chunks, counted.reads, counted.bytes, counted.errors, first_error, percentile(&latency, 0.5),
         percentile(&latency, 0.95), percentile(&latency, 0.99), percentile(&first_chunk, 0.5), percentile(&first_chunk, 0.99));
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc < 7) {
    fprintf(stderr, "usage: sse-client PORT CONNECTIONS RAMP SETTLE SECONDS USER [HEADERS]\n");
    return 2;
  }
  int port = atoi(argv[1]);
  int connections = atoi(argv[2]);
  double ramp = atof(argv[3]);
  uint64_t settle_ns = atof(argv[4]) * 1e9;
  uint64_t window_ns = atof(argv[5]) * 1e9;
  target.sin_port = htons(port);
  target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  prepare_request(port, argv[6], argc > 7 ? argv[7] : "");
  epoll_fd = epoll_create1(0);
  stream *all = calloc(connections, sizeof *all);
  static struct epoll_event events[512];
  uint64_t started_at = now();
  uint64_t ramped_at = 0;
  uint64_t window_at = 0;
  int opened = 0;
  int is_over = 0;
  for (;;) {
    uint64_t time = now();
    double allowed = ramp > 0 ? (time - started_at) / 1e9 * ramp + 1 : connections;
    for (int burst = 0; burst < 20 && opened < connections && opened < allowed; burst++) open_stream(&all[opened++]);
    if (opened == connections && ramped_at == 0) ramped_at = time;
    if (ramped_at != 0 && window_at == 0 && time - ramped_at >= settle_ns) {
      open_window();
      window_at = now();
    }
    if (window_at != 0 && !is_over && time >= window_at + window_ns) {
      is_over = 1;
      print_counts((time - window_at) / 1e9);
    }
    if (is_over && time >= window_at + window_ns + LINGER_NS) return 0;
    int count = epoll_wait(epoll_fd, events, 512, opened < connections ? 1 : 5);
    for (int i = 0; i < count; i++) on_readable(events[i].data.ptr);
  }
}

/*
 * The model server of the bench: one thread, epoll, HTTP/1.1 with keep-alive, the headers that uvicorn sends.
 *
 *   upstream PORT
 *
 * GET /v1/models answers a model list (health probes ask for it). Everything else is answered by the `user` field of its JSON body:
 *
 *   bench-sse-INTERVALxCHUNKS   a stream of CHUNKS events, one each INTERVAL milliseconds; interval 0 is "as fast as it goes"
 *   anything else               one JSON answer of 1 KB
 *
 * Each event's id is "t" and 19 digits: CLOCK_MONOTONIC in nanoseconds at the moment it was made, so that the client, on the same
 * machine, knows how long the event was under way.
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

#include "answers.h"

#define MAX_CONNECTIONS 70000
#define HEAD_BYTES 16384
/* So much of a body is kept to find its `user` field; a large prompt comes after it. */
#define PEEK_BYTES 4096
#define TICK_NS 500000ull

typedef struct connection {
  int fd;
  /* The request that is being read. */
  char head[HEAD_BYTES];
  int head_length;
  int in_body;
  int is_chunked;
  int asks_models;
  long body_left;
  char body_tail[5];
  char peek[PEEK_BYTES + 1];
  int peek_length;
  /* The stream that is being written. */
  int is_streaming;
  int stream_index;
  int chunk;
  int chunks;
  uint64_t interval_ns;
  uint64_t due;
  char pending[512];
  int pending_offset;
  int pending_length;
} connection;

static connection *streams[MAX_CONNECTIONS];
static int stream_count = 0;
static int unpaced_count = 0;
static int epoll_fd;

static void stream_begins(connection *c) {
  c->is_streaming = 1;
  c->stream_index = stream_count;
  streams[stream_count++] = c;
  if (c->interval_ns == 0) unpaced_count++;
}

static void stream_ends(connection *c) {
  if (!c->is_streaming) return;
  c->is_streaming = 0;
  streams[c->stream_index] = streams[--stream_count];
  streams[c->stream_index]->stream_index = c->stream_index;
  if (c->interval_ns == 0) unpaced_count--;
}

static void drop(connection *c) {
  stream_ends(c);
  close(c->fd);
  free(c);
}

/* 1: all written, 0: the socket is full, -1: it is broken. */
static int flush_pending(connection *c) {
  while (c->pending_length > 0) {
    ssize_t sent = send(c->fd, c->pending + c->pending_offset, c->pending_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN ? 0 : -1;
    c->pending_offset += sent;
    c->pending_length -= sent;
  }
  return 1;
}

/* Writes one chunk; a stream whose last chunk does not fit stays until it does. -1: the connection is broken. */
static int stream_step(connection *c) {
  int flushed = flush_pending(c);
  if (flushed <= 0) return flushed;
  if (c->chunk < c->chunks) {
    c->pending_offset = 0;
    c->pending_length = write_event(c->pending, c->chunks - c->chunk);
    c->chunk++;
    flushed = flush_pending(c);
    if (flushed < 0) return -1;
  }
  if (c->chunk >= c->chunks && flushed == 1) stream_ends(c);
  return 1;
}

static void write_now(connection *c, const char *bytes, int length) {
  ssize_t sent = send(c->fd, bytes, length, MSG_NOSIGNAL);
  (void)sent;
}

static void respond(connection *c) {
  if (c->asks_models) {
    write_now(c, models_answer, models_answer_length);
    return;
  }
  c->peek[c->peek_length] = 0;
  char *mode = strstr(c->peek, "bench-sse-");
  int interval_ms;
  int chunks;
  if (mode == NULL || sscanf(mode, "bench-sse-%dx%d", &interval_ms, &chunks) != 2 || chunks < 3) {
    write_now(c, json_answer, json_answer_length);
    return;
  }
  c->chunk = 0;
  c->chunks = chunks;
  c->interval_ns = interval_ms * 1000000ull;
  c->pending_length = 0;
  c->due = now() + c->interval_ns;
  write_now(c, stream_head, sizeof stream_head - 1);
  stream_begins(c);
  if (c->interval_ns > 0) stream_step(c);
}

static void peek(connection *c, const char *bytes, ssize_t length) {
  ssize_t room = PEEK_BYTES - c->peek_length;
  ssize_t taken = length < room ? length : room;
  memcpy(c->peek + c->peek_length, bytes, taken);
  c->peek_length += taken;
}

/* Takes head bytes; returns how many, or -1 when the head is too large. */
static ssize_t read_head(connection *c, const char *bytes, ssize_t length) {
  int room = HEAD_BYTES - 1 - c->head_length;
  int before = c->head_length;
  int taken = length < room ? (int)length : room;
  memcpy(c->head + before, bytes, taken);
  c->head_length += taken;
  c->head[c->head_length] = 0;
  char *end = memmem(c->head, c->head_length, "\r\n\r\n", 4);
  if (end == NULL) return c->head_length >= HEAD_BYTES - 1 ? -1 : taken;
  ssize_t used = end + 4 - c->head - before;
  end[2] = 0;
  c->head_length = 0;
  c->peek_length = 0;
  c->body_left = 0;
  c->is_chunked = 0;
  c->asks_models = strncmp(c->head, "GET /v1/models", 14) == 0;
  char *content_length = strcasestr(c->head, "\r\ncontent-length:");
  if (content_length != NULL) {
    c->body_left = atol(content_length + 17);
  } else if (strcasestr(c->head, "\r\ntransfer-encoding: chunked") != NULL) {
    c->is_chunked = 1;
    memset(c->body_tail, 0, sizeof c->body_tail);
  }
  if (strcasestr(c->head, "\r\nexpect: 100") != NULL) write_now(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
  c->in_body = c->is_chunked || c->body_left > 0;
  if (!c->in_body) respond(c);
  return used;
}

/* A chunked body ends where "0\r\n\r\n" stands; JSON holds no such bytes. */
static ssize_t read_chunked(connection *c, const char *bytes, ssize_t length) {
  for (ssize_t i = 0; i < length; i++) {
    memmove(c->body_tail, c->body_tail + 1, 4);
    c->body_tail[4] = bytes[i];
    if (bytes[i] == '\n' && memcmp(c->body_tail, "0\r\n\r\n", 5) == 0) {
      peek(c, bytes, i + 1);
      c->in_body = 0;
      respond(c);
      return i + 1;
    }
  }
  peek(c, bytes, length);
  return length;
}

static ssize_t read_body(connection *c, const char *bytes, ssize_t length) {
  ssize_t taken = length < c->body_left ? length : c->body_left;
  peek(c, bytes, taken);
  c->body_left -= taken;
  if (c->body_left == 0) {
    c->in_body = 0;
    respond(c);
  }
  return taken;
}

static void on_readable(connection *c) {
  static char buffer[262144];
  for (int round = 0; round < 4; round++) {
    ssize_t left = recv(c->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (left < 0 && errno == EAGAIN) return;
    if (left <= 0) {
      drop(c);
      return;
    }
    const char *at = buffer;
    while (left > 0) {
      ssize_t used = !c->in_body ? read_head(c, at, left) : c->is_chunked ? read_chunked(c, at, left) : read_body(c, at, left);
      if (used < 0) {
        drop(c);
        return;
      }
      at += used;
      left -= used;
    }
  }
}

static void accept_all(int listener) {
  int one = 1;
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connection *c = calloc(1, sizeof *c);
    c->fd = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
  }
}

static void write_due_chunks(uint64_t time) {
  for (int i = stream_count - 1; i >= 0; i--) {
    if (i >= stream_count) continue;
    connection *c = streams[i];
    if (c->interval_ns > 0) {
      if (time < c->due) continue;
      c->due += c->interval_ns;
    }
    if (stream_step(c) < 0) drop(c);
  }
}

static int listen_at(int port) {
  int one = 1;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (void *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
    perror("upstream: listen");
    exit(1);
  }
  return listener;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: upstream PORT\n");
    return 2;
  }
  prepare_answers();
  int listener = listen_at(atoi(argv[1]));
  epoll_fd = epoll_create1(0);
  struct epoll_event accepting = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &accepting);
  static struct epoll_event events[1024];
  uint64_t last_tick = 0;
  for (;;) {
    int timeout_ms = unpaced_count > 0 ? 0 : stream_count > 0 ? 1 : -1;
    int count = epoll_wait(epoll_fd, events, 1024, timeout_ms);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == NULL) {
        accept_all(listener);
      } else {
        on_readable(events[i].data.ptr);
      }
    }
    uint64_t time = now();
    if (stream_count > 0 && (unpaced_count > 0 || time - last_tick > TICK_NS)) {
      last_tick = time;
      write_due_chunks(time);
    }
  }
}

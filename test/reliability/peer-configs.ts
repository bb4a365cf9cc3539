/**
 * nginx and haproxy as one would set them up in front of model servers when one asks for all the failover that they have: retries of POST, too,
 * another node at each, health checks where there are some. (haproxy loses fewest this way:
 * with `observe layer7 ... on-error mark-down` it ends the very requests that are being tried again, and `leastconn` sends them to the node that fails
 * quickest.) An answer may take as long as it takes: a read timeout that is shorter than the longest
 * prefill would cut requests that are well.
 */
import { userInfo } from 'node:os'

export interface PeerSetting {
  /** For temporary files. */
  readonly folder: string
  readonly port: number
  /** `127.0.0.1:PORT` of each. */
  readonly upstreams: readonly string[]
}

export const nginxConfig = ({ folder, port, upstreams }: PeerSetting): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
${userInfo().uid === 0 ? 'user root;' : ''}
events { worker_connections 4096; }
http {
  access_log off;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  upstream engines {
    least_conn;
${upstreams.map((upstream) => `    server ${upstream} max_fails=3 fail_timeout=10s;`).join('\n')}
    keepalive 256;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://engines;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_connect_timeout 2s;
      proxy_read_timeout 120s;
      proxy_next_upstream error timeout invalid_header http_502 http_503 http_504 non_idempotent;
      proxy_next_upstream_tries 3;
    }
  }
}
`

export const haproxyConfig = ({ port, upstreams }: PeerSetting): string => `
global
  nbthread 1
  maxconn 4096
  tune.bufsize 65536

defaults
  mode http
  option http-no-delay
  option http-keep-alive
  option abortonclose
  option redispatch 1
  retries 3
  retry-on all-retryable-errors
  timeout connect 2s
  timeout client 600s
  timeout server 120s

frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend engines

backend engines
  balance roundrobin
  option httpchk GET /health
  default-server check inter 2s fall 3 rise 2 on-marked-down shutdown-sessions
${upstreams.map((upstream, index) => `  server n${index} ${upstream}`).join('\n')}
`

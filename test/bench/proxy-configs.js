/** nginx and haproxy as one would set them up in front of model servers: one core, reused upstream connections, nothing held back. */
import { userInfo } from 'node:os'

/** @typedef {import('./proxies.js').Setting} Setting */

/**
 * Bodies are read whole before they are sent on, as a balancer that must be able to retry does it, and stay in memory.
 *
 * @param {Setting} setting
 */
export const nginxConfig = ({ folder, port, upstreamPort }) => `
daemon off;
worker_processes 1;
pid ${folder}/nginx-${port}.pid;
error_log stderr error;
${userInfo().uid === 0 ? 'user root;' : ''}
events { worker_connections 16384; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  client_body_temp_path ${folder}/nginx-${port}-body;
  proxy_temp_path ${folder}/nginx-${port}-proxy;
  fastcgi_temp_path ${folder}/nginx-${port}-fastcgi;
  uwsgi_temp_path ${folder}/nginx-${port}-uwsgi;
  scgi_temp_path ${folder}/nginx-${port}-scgi;
  upstream engine {
    server 127.0.0.1:${upstreamPort};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://engine;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_buffering off;
      proxy_read_timeout 600s;
    }
  }
}
`

/** @param {Setting} setting */
export const haproxyConfig = ({ port, upstreamPort }) => `
global
  nbthread 1
  maxconn 9000

defaults
  mode http
  option http-no-delay
  option http-keep-alive
  http-reuse always
  timeout connect 2s
  timeout client 600s
  timeout server 600s

frontend clients
  bind 127.0.0.1:${port} backlog 4096
  default_backend engines

backend engines
  server engine 127.0.0.1:${upstreamPort}
`

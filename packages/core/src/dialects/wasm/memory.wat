;; Memory of the module, by address:
;;
;;       0  state of the running scan: +0 state, +4 depth, +8 kinds (64 bits, the innermost lowest, 1 = object), +16 progress, +20 top-level keys,
;;          +24 offset of the window in the body, +28 marks noted in this call, +32 offset where the call stopped
;;      64  chain of the running prefix hash
;;     256  table: length of the escape that a letter makes, 2 or 0
;;     512  table: 1 for hex digits
;;     768  the words false, null, true, at multiples of 8
;;    1024  marks: offsets, four for each top-level member (key start, key end, value start, value end); 1024 members at most
;;   20480  hashes of the window's blocks
;;   24576  secret: 2048 bytes for the blocks, 128 for folding them
;;   65536  the window, 64 KiB, and one zero behind it
(memory (export "memory") 3)

(data (i32.const 290) "\02")                                         ;; "
(data (i32.const 303) "\02")                                         ;; /
(data (i32.const 348) "\02")                                         ;; \
(data (i32.const 354) "\02")                                         ;; b
(data (i32.const 358) "\02")                                         ;; f
(data (i32.const 366) "\02")                                         ;; n
(data (i32.const 370) "\02")                                         ;; r
(data (i32.const 372) "\02")                                         ;; t
(data (i32.const 560) "\01\01\01\01\01\01\01\01\01\01")              ;; 0-9
(data (i32.const 577) "\01\01\01\01\01\01")                          ;; A-F
(data (i32.const 609) "\01\01\01\01\01\01")                          ;; a-f
(data (i32.const 768) "false\00\00\00null\00\00\00\00true\00\00\00\00")

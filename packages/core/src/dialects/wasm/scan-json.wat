;; The validating JSON scanner. One call reads one window of a body; what it knows lives in `state`, which JavaScript keeps between windows, so that
;; any number of scans can go on side by side. It builds nothing: it notes where top-level keys and values begin and end.
;;
;; A state is the place in the grammar where the next byte belongs; in the br_table below each has its own piece of code:
;;
;;    0 start          before the outermost {          10 sign       behind the - of a number: a digit must follow
;;    1 end            behind the outermost }          11 zero       behind a leading 0
;;    2 first-key      behind {                        12 integer    in the digits before the point
;;    3 key            behind , in an object           13 point      behind the point: a digit must follow
;;    4 key-string     inside a key                    14 fraction   in the digits behind the point
;;    5 colon          behind a key                    15 exponent   behind e
;;    6 first-value    behind [                        16 exp-sign   behind e+ or e-: a digit must follow
;;    7 value          behind : or , in an array       17 exp-digits in the digits of the exponent
;;    8 value-string   inside a string                 18 after-item   behind a value in an array
;;    9 word           inside true, false or null      19 after-member behind a value in an object
;;
;; The byte behind a window is 0, which no rule of JSON takes. So nothing asks whether the window ends before it reads a byte: what does not fit
;; jumps to $unfit, and only there it is decided whether the window ended (come back with more) or the body is wrong.
;; An error is the number of the state that could not go on, or one of: 20 control character, 21 bad escape, 22 bad \u escape, 23 too deep,
;; 24 too many top-level keys. -1 is no error.

;; How far an escape (1: behind the backslash, 2: behind its u, 3..5: behind hex digits) or a word (bytes of it read) has come.
(global $progress (mut i32) (i32.const 0))
;; Where $string stopped when it did not reach the closing quote, and why (-1: the window ended).
(global $stop (mut i32) (i32.const 0))
(global $why (mut i32) (i32.const -1))

;; The first byte at or behind $at that is no white space.
(func $space (param $at i32) (result i32)
  (local $bytes v128) (local $others i32)
  ;; A single space, as Python writes JSON.
  (if (i32.and
        (i32.eq (i32.load8_u (local.get $at)) (i32.const 0x20))
        (i32.gt_u (i32.load8_u offset=1 (local.get $at)) (i32.const 0x20)))
    (then (return (i32.add (local.get $at) (i32.const 1)))))
  (loop $more
    (local.set $bytes (v128.load (local.get $at)))
    (local.set $others
      (i32.xor (i32.const 0xffff)
        (i8x16.bitmask
          (v128.or
            (v128.or
              (i8x16.eq (local.get $bytes) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32))
              (i8x16.eq (local.get $bytes) (v128.const i8x16 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10 10)))
            (v128.or
              (i8x16.eq (local.get $bytes) (v128.const i8x16 13 13 13 13 13 13 13 13 13 13 13 13 13 13 13 13))
              (i8x16.eq (local.get $bytes) (v128.const i8x16 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9)))))))
    (if (local.get $others) (then (return (i32.add (local.get $at) (i32.ctz (local.get $others))))))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br $more))
  (unreachable))

;; One bit for each of 16 bytes that a string may not simply hold: the quote, the backslash, and what is under 0x20. (b ^ 2) <= 0x20 says quote
;; (0x22 ^ 2 = 0x20) and control in one comparison.
(func $specials (param $at i32) (result i32)
  (local $bytes v128) (local $flipped v128)
  (local.set $bytes (v128.load (local.get $at)))
  (local.set $flipped (v128.xor (local.get $bytes) (v128.const i8x16 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2)))
  (i8x16.bitmask
    (v128.or
      (i8x16.eq (local.get $flipped) (i8x16.min_u (local.get $flipped) (v128.const i8x16 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32 32)))
      (i8x16.eq (local.get $bytes) (v128.const i8x16 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92 92)))))

;; Reads on inside a string. Returns the place behind its closing quote, or 0 with $stop and $why.
(func $string (param $at i32) (param $end i32) (result i32)
  (local $marks i64) (local $place i32) (local $byte i32) (local $length i32)
  ;; Most strings of a tool schema end within 16 bytes.
  (if (i32.eqz (global.get $progress))
    (then
      (local.set $length (call $specials (local.get $at)))
      (if (local.get $length)
        (then
          (local.set $place (i32.add (local.get $at) (i32.ctz (local.get $length))))
          (if (i32.eq (i32.load8_u (local.get $place)) (i32.const 0x22)) (then (return (i32.add (local.get $place) (i32.const 1))))))))
    (else
      (if (i32.eqz (call $escape (local.get $at))) (then (return (call $stopped (local.get $end)))))
      (local.set $at (global.get $stop))))
  (loop $block
    (local.set $marks
      (i64.or
        (i64.or
          (i64.extend_i32_u (call $specials (local.get $at)))
          (i64.shl (i64.extend_i32_u (call $specials (i32.add (local.get $at) (i32.const 16)))) (i64.const 16)))
        (i64.or
          (i64.shl (i64.extend_i32_u (call $specials (i32.add (local.get $at) (i32.const 32)))) (i64.const 32))
          (i64.shl (i64.extend_i32_u (call $specials (i32.add (local.get $at) (i32.const 48)))) (i64.const 48)))))
    (loop $mark
      (if (i64.eqz (local.get $marks))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (br $block)))
      (local.set $place (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $marks)))))
      (local.set $byte (i32.load8_u (local.get $place)))
      (if (i32.eq (local.get $byte) (i32.const 0x22)) (then (return (i32.add (local.get $place) (i32.const 1)))))
      (if (i32.ne (local.get $byte) (i32.const 0x5c))
        (then
          (global.set $stop (local.get $place))
          (global.set $why (select (i32.const -1) (i32.const 20) (i32.ge_u (local.get $place) (local.get $end))))
          (return (i32.const 0))))
      ;; A table says how long the escape of a letter is: 2, or 0 for u and for what is none.
      (local.set $length (i32.load8_u (i32.add (i32.const 256) (i32.load8_u (i32.add (local.get $place) (i32.const 1))))))
      (if (i32.eqz (local.get $length))
        (then
          (global.set $progress (i32.const 1))
          (if (i32.eqz (call $escape (i32.add (local.get $place) (i32.const 1)))) (then (return (call $stopped (local.get $end)))))
          (local.set $length (i32.sub (global.get $stop) (local.get $place))))
        ;; Escapes in a row need no marks.
        (else
          (block $row-end
            (loop $row
              (br_if $row-end (i32.ne (i32.load8_u offset=2 (local.get $place)) (i32.const 0x5c)))
              (br_if $row-end (i32.eqz (i32.load8_u offset=256 (i32.load8_u offset=3 (local.get $place)))))
              (local.set $place (i32.add (local.get $place) (i32.const 2)))
              (br $row)))))
      ;; Marks of the escape itself and of what stands before it are done with.
      (local.set $length (i32.sub (i32.add (local.get $place) (local.get $length)) (local.get $at)))
      (if (i32.ge_u (local.get $length) (i32.const 64))
        (then
          (local.set $at (i32.add (local.get $at) (local.get $length)))
          (br $block)))
      (local.set $marks (i64.and (local.get $marks) (i64.shl (i64.const -1) (i64.extend_i32_u (local.get $length)))))
      (br $mark)))
  (unreachable))

;; Reads an escape on from $progress. Returns 1 when it is whole, with the place behind it in $stop; else 0 with the byte that did not fit.
(func $escape (param $at i32) (result i32)
  (local $byte i32) (local $steps i32)
  (local.set $steps (global.get $progress))
  (loop $step
    (local.set $byte (i32.load8_u (local.get $at)))
    (global.set $stop (local.get $at))
    (global.set $progress (local.get $steps))
    (if (i32.eq (local.get $steps) (i32.const 1))
      (then
        (if (i32.load8_u (i32.add (i32.const 256) (local.get $byte))) (then (local.set $steps (i32.const 5)))
          (else (if (i32.ne (local.get $byte) (i32.const 0x75)) (then (return (i32.const 0)))))))
      (else
        (if (i32.eqz (i32.load8_u (i32.add (i32.const 512) (local.get $byte)))) (then (return (i32.const 0))))))
    (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (br_if $step (i32.lt_u (local.get $steps) (i32.const 6))))
  (global.set $progress (i32.const 0))
  (global.set $stop (local.get $at))
  (i32.const 1))

;; Says why an escape is not whole: the window ended, or it is wrong, and then it is reported where its backslash stands.
(func $stopped (param $end i32) (result i32)
  (global.set $why (i32.const -1))
  (if (i32.lt_u (global.get $stop) (local.get $end))
    (then
      (global.set $why (select (i32.const 21) (i32.const 22) (i32.eq (global.get $progress) (i32.const 1))))
      (global.set $stop (i32.sub (global.get $stop) (global.get $progress)))))
  (i32.const 0))

;; Scans the $length bytes of the window. Returns an error, or -1. State: memory.wat.
(func (export "scan") (param $length i32) (result i32)
  (local $at i32) (local $end i32) (local $state i32) (local $depth i32) (local $kinds i64) (local $byte i32) (local $place i32)
  (local $marks i32) (local $shift i32) (local $keys i32) (local $error i32)
  (local.set $at (i32.const 65536))
  (local.set $end (i32.add (i32.const 65536) (local.get $length)))
  (i32.store8 (local.get $end) (i32.const 0))
  (local.set $state (i32.load (i32.const 0)))
  (local.set $depth (i32.load (i32.const 4)))
  (local.set $kinds (i64.load (i32.const 8)))
  (global.set $progress (i32.load (i32.const 16)))
  (local.set $keys (i32.load (i32.const 20)))
  ;; Added to an address, this gives the offset in the body.
  (local.set $shift (i32.sub (i32.load (i32.const 24)) (i32.const 65536)))
  (local.set $marks (i32.const 1024))
  (local.set $error (i32.const -1))
  (block $stop
  (block $unfit
  (loop $next
    (block $close
    (block $after-member
    (block $after-item
    (block $value-end
    (block $exp-digits
    (block $exp-sign
    (block $exponent
    (block $fraction
    (block $point
    (block $integer
    (block $zero
    (block $sign
    (block $word
    (block $value-string
    (block $value
    (block $first-value
    (block $colon
    (block $key-string
    (block $key
    (block $first-key
    (block $end-of-body
    (block $start
      (br_table $start $end-of-body $first-key $key $key-string $colon $first-value $value $value-string $word
        $sign $zero $integer $point $fraction $exponent $exp-sign $exp-digits $after-item $after-member
        (local.get $state)))
    ;; start
      (local.set $at (call $space (local.get $at)))
      (br_if $unfit (i32.ne (i32.load8_u (local.get $at)) (i32.const 0x7b)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $depth (i32.const 1))
      (local.set $kinds (i64.const 1))
      (br $first-key))
    ;; end: nothing but white space
      (local.set $state (i32.const 1))
      (local.set $at (call $space (local.get $at)))
      (br $unfit))
    ;; first-key
      (local.set $state (i32.const 2))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (local.get $byte) (i32.const 0x20))
        (then (local.set $byte (i32.load8_u (local.tee $at (call $space (local.get $at)))))))
      (br_if $close (i32.eq (local.get $byte) (i32.const 0x7d)))
      (br_if $unfit (i32.ne (local.get $byte) (i32.const 0x22))))
    ;; key
      (local.set $state (i32.const 3))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (local.get $byte) (i32.const 0x20))
        (then (local.set $byte (i32.load8_u (local.tee $at (call $space (local.get $at)))))))
      (br_if $unfit (i32.ne (local.get $byte) (i32.const 0x22)))
      (if (i32.eq (local.get $depth) (i32.const 1))
        (then
          (local.set $error (i32.const 24))
          (br_if $stop (i32.ge_u (local.get $keys) (i32.const 1024)))
          (local.set $error (i32.const -1))
          (local.set $keys (i32.add (local.get $keys) (i32.const 1)))
          (i32.store (local.get $marks) (i32.add (local.get $at) (local.get $shift)))
          (local.set $marks (i32.add (local.get $marks) (i32.const 4)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1))))
    ;; key-string
      (local.set $state (i32.const 4))
      (local.set $place (call $string (local.get $at) (local.get $end)))
      (if (i32.eqz (local.get $place))
        (then
          (local.set $at (global.get $stop))
          (local.set $error (global.get $why))
          (br $stop)))
      (local.set $at (local.get $place))
      (if (i32.eq (local.get $depth) (i32.const 1))
        (then
          (i32.store (local.get $marks) (i32.add (local.get $at) (local.get $shift)))
          (local.set $marks (i32.add (local.get $marks) (i32.const 4))))))
    ;; colon
      (local.set $state (i32.const 5))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (local.get $byte) (i32.const 0x20))
        (then (local.set $byte (i32.load8_u (local.tee $at (call $space (local.get $at)))))))
      (br_if $unfit (i32.ne (local.get $byte) (i32.const 0x3a)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $value))
    ;; first-value
      (local.set $state (i32.const 6))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (local.get $byte) (i32.const 0x20))
        (then (local.set $byte (i32.load8_u (local.tee $at (call $space (local.get $at)))))))
      (br_if $close (i32.eq (local.get $byte) (i32.const 0x5d)))
      (br_if $unfit (i32.eqz (local.get $byte))))
    ;; value
      (local.set $state (i32.const 7))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (local.get $byte) (i32.const 0x20))
        (then (local.set $byte (i32.load8_u (local.tee $at (call $space (local.get $at)))))))
      (br_if $unfit (i32.ge_u (local.get $at) (local.get $end)))
      (if (i32.eq (local.get $depth) (i32.const 1))
        (then
          (i32.store (local.get $marks) (i32.add (local.get $at) (local.get $shift)))
          (local.set $marks (i32.add (local.get $marks) (i32.const 4)))))
      (if (i32.eq (local.get $byte) (i32.const 0x22))
        (then
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $value-string)))
      ;; { and [ differ from } and ] in one bit, and from each other in another: 0x7b, 0x5b.
      (if (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x7b))
        (then
          (local.set $error (i32.const 23))
          (br_if $stop (i32.ge_u (local.get $depth) (i32.const 64)))
          (local.set $error (i32.const -1))
          (local.set $depth (i32.add (local.get $depth) (i32.const 1)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $byte (i32.eq (local.get $byte) (i32.const 0x7b)))
          (local.set $kinds (i64.or (i64.shl (local.get $kinds) (i64.const 1)) (i64.extend_i32_u (local.get $byte))))
          (local.set $state (select (i32.const 2) (i32.const 6) (local.get $byte)))
          (br $next)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $integer (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x31)) (i32.const 9)))
      (br_if $zero (i32.eq (local.get $byte) (i32.const 0x30)))
      (br_if $sign (i32.eq (local.get $byte) (i32.const 0x2d)))
      ;; Which word it is tells its first letter; the words stand in memory at 768 (f), 776 (n) and 784 (t), each ended by a zero.
      (local.set $place (i32.const 768))
      (if (i32.eq (local.get $byte) (i32.const 0x6e)) (then (local.set $place (i32.const 776))))
      (if (i32.eq (local.get $byte) (i32.const 0x74)) (then (local.set $place (i32.const 784))))
      (if (i32.ne (local.get $byte) (i32.load8_u (local.get $place)))
        (then
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (br $unfit)))
      (global.set $progress (i32.add (local.get $place) (i32.const 1)))
      (br $word))
    ;; value-string
      (local.set $state (i32.const 8))
      (local.set $place (call $string (local.get $at) (local.get $end)))
      (if (i32.eqz (local.get $place))
        (then
          (local.set $at (global.get $stop))
          (local.set $error (global.get $why))
          (br $stop)))
      (local.set $at (local.get $place))
      (br $value-end))
    ;; word: $progress is the address of the next letter
      (local.set $state (i32.const 9))
      (local.set $place (global.get $progress))
      (loop $letter
        (local.set $byte (i32.load8_u (local.get $place)))
        (if (local.get $byte)
          (then
            (if (i32.ne (local.get $byte) (i32.load8_u (local.get $at)))
              (then
                (global.set $progress (local.get $place))
                (br_if $unfit (i32.ge_u (local.get $at) (local.get $end)))
                ;; A wrong word is reported where it begins.
                (local.set $at (i32.sub (local.get $at) (i32.and (local.get $place) (i32.const 7))))
                (local.set $error (i32.const 9))
                (br $stop)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $place (i32.add (local.get $place) (i32.const 1)))
            (br $letter))))
      (global.set $progress (i32.const 0))
      (br $value-end))
    ;; sign
      (local.set $state (i32.const 10))
      (local.set $byte (i32.load8_u (local.get $at)))
      (br_if $unfit (i32.ge_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $integer (i32.ne (local.get $byte) (i32.const 0x30))))
    ;; zero
      (local.set $state (i32.const 11))
      (br_if $unfit (i32.ge_u (local.get $at) (local.get $end)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $point (i32.eq (local.get $byte) (i32.const 0x2e)))
      (br_if $exponent (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x65)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br $value-end))
    ;; integer
      (local.set $state (i32.const 12))
      (loop $digit
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $digit (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10))))
      (br_if $point (i32.eq (local.get $byte) (i32.const 0x2e)))
      (br_if $exponent (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x65)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $unfit (i32.ge_u (local.get $at) (local.get $end)))
      (br $value-end))
    ;; point
      (local.set $state (i32.const 13))
      (br_if $unfit (i32.ge_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 0x30)) (i32.const 10))))
    ;; fraction
      (local.set $state (i32.const 14))
      (loop $digit
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $digit (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10))))
      (br_if $exponent (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x65)))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $unfit (i32.ge_u (local.get $at) (local.get $end)))
      (br $value-end))
    ;; exponent
      (local.set $state (i32.const 15))
      (local.set $byte (i32.load8_u (local.get $at)))
      (br_if $exp-digits (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10)))
      (br_if $unfit (i32.and (i32.ne (local.get $byte) (i32.const 0x2b)) (i32.ne (local.get $byte) (i32.const 0x2d))))
      (local.set $at (i32.add (local.get $at) (i32.const 1))))
    ;; exp-sign
      (local.set $state (i32.const 16))
      (br_if $unfit (i32.ge_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 0x30)) (i32.const 10))))
    ;; exp-digits
      (local.set $state (i32.const 17))
      (loop $digit
        (local.set $byte (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $digit (i32.lt_u (i32.sub (local.get $byte) (i32.const 0x30)) (i32.const 10))))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (br_if $unfit (i32.ge_u (local.get $at) (local.get $end))))
    ;; value-end
      (if (i32.eq (local.get $depth) (i32.const 1))
        (then
          (i32.store (local.get $marks) (i32.add (local.get $at) (local.get $shift)))
          (local.set $marks (i32.add (local.get $marks) (i32.const 4)))))
      (br_if $after-member (i32.wrap_i64 (i64.and (local.get $kinds) (i64.const 1)))))
    ;; after-item
      (local.set $state (i32.const 18))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (local.get $byte) (i32.const 0x20))
        (then (local.set $byte (i32.load8_u (local.tee $at (call $space (local.get $at)))))))
      (br_if $close (i32.eq (local.get $byte) (i32.const 0x5d)))
      (br_if $unfit (i32.ne (local.get $byte) (i32.const 0x2c)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $state (i32.const 7))
      (br $next))
    ;; after-member
      (local.set $state (i32.const 19))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.le_u (local.get $byte) (i32.const 0x20))
        (then (local.set $byte (i32.load8_u (local.tee $at (call $space (local.get $at)))))))
      (br_if $close (i32.eq (local.get $byte) (i32.const 0x7d)))
      (br_if $unfit (i32.ne (local.get $byte) (i32.const 0x2c)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $state (i32.const 3))
      (br $next))
    ;; close: a } or ] at $at
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
      (local.set $kinds (i64.shr_u (local.get $kinds) (i64.const 1)))
      (local.set $state (i32.add (i32.const 18) (i32.wrap_i64 (i64.and (local.get $kinds) (i64.const 1)))))
      (if (i32.eqz (local.get $depth)) (then (local.set $state (i32.const 1))))
      (if (i32.eq (local.get $depth) (i32.const 1))
        (then
          (i32.store (local.get $marks) (i32.add (local.get $at) (local.get $shift)))
          (local.set $marks (i32.add (local.get $marks) (i32.const 4)))))
      (br $next)))
  ;; unfit
    (if (i32.lt_u (local.get $at) (local.get $end)) (then (local.set $error (local.get $state)))))
  (i32.store (i32.const 0) (local.get $state))
  (i32.store (i32.const 4) (local.get $depth))
  (i64.store (i32.const 8) (local.get $kinds))
  (i32.store (i32.const 16) (global.get $progress))
  (i32.store (i32.const 20) (local.get $keys))
  (i32.store (i32.const 24) (i32.add (local.get $end) (local.get $shift)))
  (i32.store (i32.const 28) (i32.shr_u (i32.sub (local.get $marks) (i32.const 1024)) (i32.const 2)))
  (i32.store (i32.const 32) (i32.add (local.get $at) (local.get $shift)))
  (local.get $error))

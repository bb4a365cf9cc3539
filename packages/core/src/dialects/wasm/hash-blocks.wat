;; Keyed, chained hashes of a prompt's blocks. A block is taken in by NH, the universal hash of UMAC: 32-bit words, each with a secret added, are
;; multiplied in pairs and the 64-bit products summed, in eight lanes. The words themselves are added to other lanes, so that a factor that happens to
;; be zero loses nothing. The lanes are then folded by multiplications of 64 by 64 bits into the chain, which is the hash.
;; The secret is made of the installation's salt (hash-secret.ts): without it nobody can say which prompts have equal hashes, but it is no cryptographic
;; hash and guards nothing.

;; 64 x 64 bits to 128, its halves folded by xor.
(func $fold (param $a i64) (param $b i64) (result i64)
  (local $al i64) (local $ah i64) (local $bl i64) (local $bh i64) (local $low i64) (local $cross i64)
  (local.set $al (i64.and (local.get $a) (i64.const 0xffffffff)))
  (local.set $ah (i64.shr_u (local.get $a) (i64.const 32)))
  (local.set $bl (i64.and (local.get $b) (i64.const 0xffffffff)))
  (local.set $bh (i64.shr_u (local.get $b) (i64.const 32)))
  (local.set $low (i64.mul (local.get $al) (local.get $bl)))
  (local.set $cross (i64.add (i64.mul (local.get $ah) (local.get $bl)) (i64.shr_u (local.get $low) (i64.const 32))))
  (i64.xor
    (i64.mul (local.get $a) (local.get $b))
    (i64.add
      (i64.add (i64.mul (local.get $ah) (local.get $bh)) (i64.shr_u (local.get $cross) (i64.const 32)))
      (i64.shr_u
        (i64.add (i64.mul (local.get $al) (local.get $bh)) (i64.and (local.get $cross) (i64.const 0xffffffff)))
        (i64.const 32)))))

;; One pair of lanes under its part of the secret.
(func $lanes (param $lanes v128) (param $secret i32) (result i64)
  (local.set $lanes (v128.xor (local.get $lanes) (v128.load (local.get $secret))))
  (call $fold (i64x2.extract_lane 0 (local.get $lanes)) (i64x2.extract_lane 1 (local.get $lanes))))

;; Hashes $blocks blocks of $size bytes (a multiple of 64, at most 2048) that stand at $at, and writes each hash's upper 52 bits as a double to $out.
(func (export "hash") (param $at i32) (param $blocks i32) (param $size i32) (param $out i32)
  (local $a v128) (local $b v128) (local $c v128) (local $d v128)
  (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)
  (local $w0 v128) (local $w1 v128) (local $w2 v128) (local $w3 v128)
  (local $secret i32) (local $last i32) (local $chain i64)
  (local.set $chain (i64.load (i32.const 64)))
  (block $done
    (loop $block
      (br_if $done (i32.eqz (local.get $blocks)))
      (local.set $a (v128.const i64x2 0 0))
      (local.set $b (v128.const i64x2 0 0))
      (local.set $c (v128.const i64x2 0 0))
      (local.set $d (v128.const i64x2 0 0))
      (local.set $secret (i32.const 24576))
      (local.set $last (i32.add (local.get $at) (local.get $size)))
      (loop $stripe
        (local.set $v0 (v128.load (local.get $at)))
        (local.set $v1 (v128.load offset=16 (local.get $at)))
        (local.set $v2 (v128.load offset=32 (local.get $at)))
        (local.set $v3 (v128.load offset=48 (local.get $at)))
        (local.set $w0 (i32x4.add (local.get $v0) (v128.load (local.get $secret))))
        (local.set $w1 (i32x4.add (local.get $v1) (v128.load offset=16 (local.get $secret))))
        (local.set $w2 (i32x4.add (local.get $v2) (v128.load offset=32 (local.get $secret))))
        (local.set $w3 (i32x4.add (local.get $v3) (v128.load offset=48 (local.get $secret))))
        (local.set $a (i64x2.add (i64x2.add (local.get $a) (local.get $v1)) (i64x2.extmul_low_i32x4_u (local.get $w0) (local.get $w1))))
        (local.set $b (i64x2.add (i64x2.add (local.get $b) (local.get $v0)) (i64x2.extmul_high_i32x4_u (local.get $w0) (local.get $w1))))
        (local.set $c (i64x2.add (i64x2.add (local.get $c) (local.get $v3)) (i64x2.extmul_low_i32x4_u (local.get $w2) (local.get $w3))))
        (local.set $d (i64x2.add (i64x2.add (local.get $d) (local.get $v2)) (i64x2.extmul_high_i32x4_u (local.get $w2) (local.get $w3))))
        (local.set $secret (i32.add (local.get $secret) (i32.const 64)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $stripe (i32.lt_u (local.get $at) (local.get $last))))
      ;; chain = finish(rotate(chain) * odd + folded lanes); the secret's last 8 bytes and the size set blocks of two sizes apart
      (local.set $chain
        (i64.add
          (i64.mul (i64.rotl (local.get $chain) (i64.const 27)) (i64.const 0x9fb21c651e98df25))
          (i64.add
            (i64.add
              (i64.add (call $lanes (local.get $a) (i32.const 26624)) (call $lanes (local.get $b) (i32.const 26640)))
              (i64.add (call $lanes (local.get $c) (i32.const 26656)) (call $lanes (local.get $d) (i32.const 26672))))
            (i64.xor (i64.load (i32.const 26688)) (i64.extend_i32_u (local.get $size))))))
      (local.set $chain (i64.mul (i64.xor (local.get $chain) (i64.shr_u (local.get $chain) (i64.const 33))) (i64.const 0xff51afd7ed558ccd)))
      (local.set $chain (i64.mul (i64.xor (local.get $chain) (i64.shr_u (local.get $chain) (i64.const 33))) (i64.const 0xc4ceb9fe1a85ec53)))
      (local.set $chain (i64.xor (local.get $chain) (i64.shr_u (local.get $chain) (i64.const 33))))
      (f64.store (local.get $out) (f64.convert_i64_u (i64.shr_u (local.get $chain) (i64.const 12))))
      (local.set $out (i32.add (local.get $out) (i32.const 8)))
      (local.set $blocks (i32.sub (local.get $blocks) (i32.const 1)))
      (br $block)))
  (i64.store (i32.const 64) (local.get $chain)))

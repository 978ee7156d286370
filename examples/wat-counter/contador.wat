;; The wire by hand: a counter in 200 lines of WebAssembly text, without any SDK.
;; What each message means is told in docs/reference/wire.md.
;;
;; Memory:  0 texts · 4096 the host's answers · 8192 the outbox · 65536 what alloc gives out
(module
  (import "plataforma" "host_call" (func $host_call (param i32 i32 i32 i32) (result i64)))
  (import "plataforma" "host_answer" (func $host_answer (param i32)))

  (memory (export "memory") 4)
  (global $top (mut i32) (i32.const 65536))    ;; next free byte of alloc
  (global $out (mut i32) (i32.const 8192))     ;; next free byte of the outbox
  (global $count (mut i32) (i32.const 0))
  (global $may_emit (mut i32) (i32.const 0))

  ;; --- texts ---
  (data (i32.const 16) "{\22entry\22:\22contador\22}")                                         ;; 20
  (data (i32.const 48) "permissions.has")                                                      ;; 15
  (data (i32.const 80) " [\22events.emit[module.contador.mudou]\22]")                          ;; 39
  (data (i32.const 128) "windows.create")                                                      ;; 14
  (data (i32.const 160) " [{\22id\22:\22main\22,\22title\22:\22Contador\22}]")                 ;; 35
  (data (i32.const 208) "events.subscribe")                                                    ;; 16
  (data (i32.const 240) " [1,\22contador.zerar\22]")                                           ;; 21
  (data (i32.const 272) "events.emit")                                                         ;; 11
  (data (i32.const 288) " [\22mudou\22,")                                                      ;; 10
  (data (i32.const 320) "@load")
  (data (i32.const 336) "@event")
  (data (i32.const 352) "@render")
  (data (i32.const 368) "@ui")
  (data (i32.const 384) "somar")
  (data (i32.const 400) "null")
  (data (i32.const 416) "{\22type\22:\22LookupError\22,\22message\22:\22no such method\22}")   ;; 49
  (data (i32.const 512) "{\22type\22:\22column\22,\22children\22:[{\22type\22:\22metric\22,\22props\22:{\22label\22:\22Total\22,\22value\22:") ;; 79
  (data (i32.const 640) "}},{\22type\22:\22button\22,\22props\22:{\22label\22:\22+1\22,\22on_press\22:{\22handler\22:\22somar\22}}}]}") ;; 76

  ;; --- room for the host's texts: a stack, since the host gives back in the reverse order ---
  (func (export "alloc") (param $size i32) (result i32) (local $at i32)
    (local.set $at (global.get $top))
    (global.set $top (i32.add (local.get $at) (i32.and (i32.add (local.get $size) (i32.const 7)) (i32.const -8))))
    (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get $size) (i32.const 16)))))))
    (local.get $at))
  (func (export "dealloc") (param $at i32) (param $size i32)
    (global.set $top (local.get $at)))

  ;; --- writing into the outbox ---
  (func $byte (param $value i32)
    (i32.store8 (global.get $out) (local.get $value))
    (global.set $out (i32.add (global.get $out) (i32.const 1))))
  (func $text (param $at i32) (param $size i32)
    (memory.copy (global.get $out) (local.get $at) (local.get $size))
    (global.set $out (i32.add (global.get $out) (local.get $size))))
  (func $number (param $value i32)
    (if (i32.ge_u (local.get $value) (i32.const 10))
      (then (call $number (i32.div_u (local.get $value) (i32.const 10)))))
    (call $byte (i32.add (i32.const 48) (i32.rem_u (local.get $value) (i32.const 10)))))

  ;; --- asking the host: "<call> [arguments]" is written behind the outbox, and taken away again ---
  (func $ask (param $method i32) (param $method_size i32) (param $from i32) (result i64) (local $answer i64)
    (local.set $answer (call $host_call (local.get $method) (local.get $method_size)
      (local.get $from) (i32.sub (global.get $out) (local.get $from))))
    (call $host_answer (i32.const 4096))
    (global.set $out (local.get $from))
    (local.get $answer))

  ;; --- what the module does ---
  (func $on_load (param $call i32) (local $from i32)
    (local.set $from (global.get $out))
    (call $number (local.get $call)) (call $text (i32.const 80) (i32.const 39))
    (drop (call $ask (i32.const 48) (i32.const 15) (local.get $from)))
    (global.set $may_emit (i32.eq (i32.load8_u (i32.const 4096)) (i32.const 116)))  ;; 't' of true
    (call $number (local.get $call)) (call $text (i32.const 160) (i32.const 35))
    (drop (call $ask (i32.const 128) (i32.const 14) (local.get $from)))
    (call $number (local.get $call)) (call $text (i32.const 240) (i32.const 21))
    (drop (call $ask (i32.const 208) (i32.const 16) (local.get $from))))

  (func $set (param $call i32) (param $count i32) (local $from i32)
    (global.set $count (local.get $count))
    (if (global.get $may_emit) (then
      (local.set $from (global.get $out))
      (call $number (local.get $call)) (call $text (i32.const 288) (i32.const 10))
      (call $number (local.get $count)) (call $byte (i32.const 93))
      (drop (call $ask (i32.const 272) (i32.const 11) (local.get $from))))))

  (func $is (param $at i32) (param $size i32) (param $name i32) (param $name_size i32) (result i32) (local $i i32)
    (if (i32.ne (local.get $size) (local.get $name_size)) (then (return (i32.const 0))))
    (loop $next
      (if (i32.ne (i32.load8_u (i32.add (local.get $at) (local.get $i)))
                  (i32.load8_u (i32.add (local.get $name) (local.get $i)))) (then (return (i32.const 0))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (local.get $size))))
    (i32.const 1))

  (func $begin (param $kind i32) (param $call i32)  ;; "r7 " or "e7 ", after a line end where it is not the first
    (if (i32.ne (global.get $out) (i32.const 8192)) (then (call $byte (i32.const 10))))
    (call $byte (local.get $kind)) (call $number (local.get $call)) (call $byte (i32.const 32)))

  (func $serve (param $call i32) (param $at i32) (param $size i32)
    (if (call $is (local.get $at) (local.get $size) (i32.const 352) (i32.const 7)) (then  ;; @render
      (call $begin (i32.const 114) (local.get $call))
      (call $text (i32.const 512) (i32.const 79)) (call $number (global.get $count))
      (call $text (i32.const 640) (i32.const 76)) (return)))
    (if (i32.or (call $is (local.get $at) (local.get $size) (i32.const 384) (i32.const 5))  ;; somar
                (call $is (local.get $at) (local.get $size) (i32.const 368) (i32.const 3))) (then  ;; @ui
      (call $set (local.get $call) (i32.add (global.get $count) (i32.const 1)))
      (call $begin (i32.const 114) (local.get $call)) (call $number (global.get $count)) (return)))
    (if (i32.ne (i32.load8_u (local.get $at)) (i32.const 64)) (then  ;; no '@', and not one of ours
      (call $begin (i32.const 101) (local.get $call)) (call $text (i32.const 416) (i32.const 49)) (return)))
    (if (call $is (local.get $at) (local.get $size) (i32.const 320) (i32.const 5)) (then (call $on_load (local.get $call))))
    (if (call $is (local.get $at) (local.get $size) (i32.const 336) (i32.const 6)) (then  ;; @event contador.zerar
      (call $set (local.get $call) (i32.const 0))))
    (call $begin (i32.const 114) (local.get $call)) (call $text (i32.const 400) (i32.const 4)))

  ;; --- the two exports ---
  (func (export "load") (param i32 i32 i32 i32) (result i64)
    (i64.or (i64.shl (i64.const 16) (i64.const 32)) (i64.const 20)))

  (func (export "pump") (param $at i32) (param $size i32) (result i64)
    (local $end i32) (local $kind i32) (local $call i32) (local $name i32) (local $char i32)
    (local.set $end (i32.add (local.get $at) (local.get $size)))
    (global.set $out (i32.const 8192))
    (loop $line
      ;; kind and number
      (local.set $kind (i32.load8_u (local.get $at)))
      (local.set $call (i32.const 0))
      (block $numbered (loop $digit
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $numbered (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $char (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
        (br_if $numbered (i32.gt_u (local.get $char) (i32.const 9)))
        (local.set $call (i32.add (i32.mul (local.get $call) (i32.const 10)) (local.get $char)))
        (br $digit)))
      ;; a call: its function ends at the next space
      (if (i32.eq (local.get $kind) (i32.const 99)) (then
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $name (local.get $at))
        (block $named (loop $letter
          (br_if $named (i32.ge_u (local.get $at) (local.get $end)))
          (br_if $named (i32.eq (i32.load8_u (local.get $at)) (i32.const 32)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $letter)))
        (call $serve (local.get $call) (local.get $name) (i32.sub (local.get $at) (local.get $name)))))
      ;; on to the next line
      (block $ended (loop $skip
        (br_if $ended (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $char (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $skip (i32.ne (local.get $char) (i32.const 10)))))
      (br_if $line (i32.lt_u (local.get $at) (local.get $end))))
    (i64.or (i64.shl (i64.const 8192) (i64.const 32))
            (i64.extend_i32_u (i32.sub (global.get $out) (i32.const 8192))))))

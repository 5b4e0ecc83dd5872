import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demangle } from '../../lib/system/symbols/demangle.ts';
import { demangleRust } from '../../lib/system/symbols/rust-names.ts';

// What rustc makes of names, with the hashes left out in the plain form.
const known: Readonly<Record<string, string>> = {
  _RNvC6_123foo3bar: '123foo::bar',
  _RNvNtCs1234_7mycrate3foo3bar: 'mycrate::foo::bar',
  '_RNvC9backtrace3foo.llvm.A5310EB9': 'backtrace::foo',
  _RNCNCNgCs6DXkGYLi8lr_2cc5spawn00B5_: 'cc::spawn::{closure#0}::{closure#0}',
  _RNqCs4fqI2P2rA04_11utf8_identsu30____7hkackfecea1cbdathfdh9hlq6y: 'utf8_idents::საჭმელად_გემრიელი_სადილი',
  _RINbNbCskIICzLVDPPb_5alloc5alloc8box_freeDINbNiB4_5boxed5FnBoxuEp6OutputuEL_ECs1iopQbuBiw2_3std:
    'alloc::alloc::box_free::<dyn alloc::boxed::FnBox<(), Output = ()>>',
  _RNvMC0INtC8arrayvec8ArrayVechKj7b_E3new: '<arrayvec::ArrayVec<u8, 123>>::new',
  _RINvCs6xxl1lAjzDf_1a7genericThReENCNvB2_4mains0_0EB2_: 'a::generic::<(u8, &str), a::main::{closure#2}>',
  _RINvMNtNtCsgEmfK2I1SDS_4core3fmt2rtNtB3_8Argument9new_debugAhj7_ECs6xxl1lAjzDf_1a:
    '<core::fmt::rt::Argument>::new_debug::<[u8; 7]>',
  _RINvMNtCsgEmfK2I1SDS_4core5sliceSh11copy_withinINtNtNtB5_3ops5range14RangeInclusivejEECsfEOYDRpO4Ta_11miniz_oxide:
    '<[u8]>::copy_within::<core::ops::range::RangeInclusive<usize>>',
  _RMCs4fqI2P2rA04_13const_genericINtB0_8UnsignedKhb_E: '<const_generic::Unsigned<11>>',
  _RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKs98_E: '<const_generic::Signed<152>>',
  _RMCs4fqI2P2rA04_13const_genericINtB0_6SignedKanb_E: '<const_generic::Signed<-11>>',
  _RMCs4fqI2P2rA04_13const_genericINtB0_4BoolKb0_E: '<const_generic::Bool<false>>',
  _RMCs4fqI2P2rA04_13const_genericINtB0_4CharKc76_E: "<const_generic::Char<'v'>>",
  _RNCINkXs25_NgCsbmNqQUJIY6D_4core5sliceINyB9_4IterhENuNgNoBb_4iter8iterator8Iterator9rpositionNCNgNpB9_6memchr7memrchrs_0E0Bb_:
    '<core::slice::Iter<u8> as core::iter::iterator::Iterator>::rposition::<core::slice::memchr::memrchr::{closure#1}>::{closure#0}',
};

for (const [symbol, plain] of Object.entries(known)) {
  test(`a name of Rust is read: ${plain}`, () => {
    assert.equal(demangleRust(symbol), plain);
    assert.equal(demangle(symbol), plain);
  });
}

test('types are written as in the language', () => {
  const of = (type: string) => demangleRust(`_RINvC1a1f${type}E`);
  const types: Readonly<Record<string, string>> = {
    Ahj3_: '[u8; 3]',
    Se: '[str]',
    TlE: '(i32,)',
    TlbE: '(i32, bool)',
    TE: '()',
    RL_e: '&str',
    Re: '&str',
    QSh: '&mut [u8]',
    PNtC1b1T: '*const b::T',
    Ou: '*mut ()',
    FEu: 'fn()',
    FUKCjEz: 'unsafe extern "C" fn(usize) -> !',
    FG_RL0_eEu: "for<'a> fn(&'a str)",
    DNtC1b1TL_: undefined as unknown as string,
    DNtC1b1TEL_: 'dyn b::T',
    Kp: '_',
  };
  for (const [type, plain] of Object.entries(types)) {
    assert.equal(of(type), plain === undefined ? undefined : `a::f::<${plain}>`, type);
  }
});

test('what is no name of Rust stays as it is', () => {
  const names = [
    '_R',
    '_RN',
    '_RNvC6_123foo',
    '_RNvC9999a',
    '_Rust',
    '_RNvC6_123foo3bar!',
    '_RB_',
    '_RNvB0_1a',
    '_RINvC1a1fKc110000_E',
    '_RINvC1a1fKcd800_E',
    '_RINvC1a1fKb2_E',
    '_RNvC1au10_999999999',
    '_RNvC1au3_ab!',
    '_RINvC1a1fRL5_eE',
    '_RNvC1a1bEXTRA',
  ];
  for (const name of names) {
    assert.equal(demangle(name), name, name);
  }
});

test('no name takes long, however it is made', () => {
  const deep = `_RINvC1a1f${'S'.repeat(100_000)}hE`;
  assert.equal(demangleRust(deep), undefined);
  // Each tuple has the one before it twice.
  let doubling = '_RINvC1a1fThhE';
  for (let i = 0; i < 60; i++) {
    const at = doubling.length - 2;
    doubling += `TB${digits(at - (i === 0 ? 4 : 0))}B${digits(8)}E`;
  }
  const start = performance.now();
  demangleRust(`${doubling}E`);
  for (let i = 0; i < 2000; i++) {
    demangleRust(`_R${noise(i)}`);
  }
  assert.ok(performance.now() - start < 5000);
});

function digits(value: number): string {
  if (value === 0) {
    return '_';
  }
  const all = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  let text = '';
  for (let rest = value - 1; rest > 0 || text === ''; rest = Math.floor(rest / 62)) {
    text = (all[rest % 62] ?? '') + text;
  }
  return `${text}_`;
}

/** Names of the right letters in no order, the same in every run. */
function noise(seed: number): string {
  const letters = 'CNMXYIBTRSAFDGLKEsuvp_0123abhz';
  let state = seed + 1;
  let text = 'N';
  for (let i = 0; i < 60; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    text += letters[Math.floor((state / 2147483648) * letters.length)];
  }
  return text;
}

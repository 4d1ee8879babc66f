// How A and B are read where they are stored in f16: four elements at once or one, as all arrays of matmul-operands.wgsl
// are with LOAD_WIDTH 4 and 1. With LOAD_WIDTH 8 it is matmul-matrix-octets.wgsl that says how.

alias InputHalf = Half;

fn load_input_half(source: ptr<storage, array<InputHalf>, read>, start: u32, valid: u32) -> vec4f {
  return load_half(source, start, valid);
}

// dk and dv as slices of one buffer, which WebGPU lets a dispatch bind for writing only once. Binding 1 is unused.

@group(0) @binding(0) var<storage, read_write> dkv: array<Lane>;

fn store_dk(at: u32, value: Lane) {
  dkv[at] = value;
}

fn store_dv(at: u32, value: Lane) {
  dkv[at] = value;
}

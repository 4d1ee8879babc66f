// dk and dv in buffers of their own.

@group(0) @binding(0) var<storage, read_write> dk: array<Lane>;
@group(0) @binding(1) var<storage, read_write> dv: array<Lane>;

fn store_dk(at: u32, value: Lane) {
  dk[at] = value;
}

fn store_dv(at: u32, value: Lane) {
  dv[at] = value;
}

// What becomes of values on their way into workgroup memory as f16, as kernels for matrix units put them there.

enable f16;

var<workgroup> block: array<vec4h, 1>;

var<storage, read> values: array<vec4f>;
var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(1)
fn main() {
  block[0] = vec4h(values[0]);
  workgroupBarrier();
  out[0] = vec4f(block[0]);
}

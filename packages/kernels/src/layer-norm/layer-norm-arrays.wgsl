// The arrays of layer-norm.wgsl and layer-norm-subgroup.wgsl, which follow.
//
// Layout: x and out are rows at two levels of strides; mean and rstd have one element a row. out may be f16.
// Header: Element, as there.

var<storage, read> x: array<Element>;
var<storage, read> weight: array<Element>;
var<storage, read> bias: array<Element>;
#if out_f16
alias Stored = Half;
#else
alias Stored = Element;
#end
var<storage, read_write> out: array<Stored>;
var<storage, read_write> mean: array<f32>;
var<storage, read_write> rstd: array<f32>;

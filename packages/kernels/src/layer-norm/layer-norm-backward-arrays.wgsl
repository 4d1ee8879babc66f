// The arrays of layer-norm-backward.wgsl and layer-norm-backward-subgroup.wgsl, which follow.
//
// Layout as in layer-norm-arrays.wgsl; d_out may be f16. parts has [PARTS, COLUMNS] of dWeight and as many of dBias.
// Header: Element, as there.

#if d_out_f16
var<storage, read> d_out: array<Half>;
#else
var<storage, read> d_out: array<Element>;
#end
var<storage, read> x: array<Element>;
var<storage, read> weight: array<Element>;
var<storage, read> mean: array<f32>;
var<storage, read> rstd: array<f32>;
var<storage, read_write> dx: array<Element>;
var<storage, read_write> parts: array<Element>;

// Matmul without the sums of A's rows.

fn store_row_sums(split: u32, first: u32, sum: vec4f) {}

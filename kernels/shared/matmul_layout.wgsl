// matmul_layout: which operands lie transposed, and whether half of a product is enough.
//
// needs     nothing

override A_TRANSPOSED: bool = false;
override B_TRANSPOSED: bool = false;
override SYMMETRIC: bool = false; // writes the lower half and its mirror image

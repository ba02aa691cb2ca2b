// STUB
struct P{n:u32,H:u32,Kh:u32,Q:u32,S:u32,D:u32}
@group(0) @binding(0) var<storage,read> a:array<f32>;
@group(0) @binding(1) var<storage,read> v:array<f32>;
@group(0) @binding(2) var<storage,read_write> z:array<f32>;
@group(1) @binding(0) var<uniform> p:P;
@compute @workgroup_size(64) fn main(@builtin(workgroup_id) wid:vec3u,@builtin(num_workgroups) n:vec3u,@builtin(local_invocation_index) l:u32){ let i=(wid.y*n.x+wid.x)*64u+l; if(i>=p.n){return;}
let j=i%p.D;let h=(i/p.D)%p.H;let t=(i/(p.D*p.H))%p.Q;let bb=i/(p.D*p.H*p.Q);let kh=h/(p.H/p.Kh);var s=0.0;for(var k=0u;k<p.S;k++){s+=a[((bb*p.H+h)*p.Q+t)*p.S+k]*v[((bb*p.S+k)*p.Kh+kh)*p.D+j];} z[i]=s;}

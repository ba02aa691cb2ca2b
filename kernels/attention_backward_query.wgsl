// STUB
struct P{n:u32,H:u32,Kh:u32,Q:u32,S:u32,D:u32,scale:f32}
@group(0) @binding(0) var<storage,read> dz:array<f32>;
@group(0) @binding(1) var<storage,read> q:array<f32>;
@group(0) @binding(2) var<storage,read> k:array<f32>;
@group(0) @binding(3) var<storage,read> v:array<f32>;
@group(0) @binding(4) var<storage,read> z:array<f32>;
@group(0) @binding(5) var<storage,read> lse:array<f32>;
@group(0) @binding(6) var<storage,read> start:array<u32>;
@group(0) @binding(7) var<storage,read> len:array<u32>;
@group(0) @binding(8) var<storage,read_write> y:array<f32>;
@group(1) @binding(0) var<uniform> p:P;
@compute @workgroup_size(64) fn main(@builtin(workgroup_id) wid:vec3u,@builtin(num_workgroups) n:vec3u,@builtin(local_invocation_index) l:u32){ let i=(wid.y*n.x+wid.x)*64u+l; if(i>=p.n){return;}
let h=i%p.H;let t=(i/p.H)%p.Q;let bb=i/(p.H*p.Q);let kh=h/(p.H/p.Kh);let last=min(start[bb]+t+1u,len[bb]);let qo=i*p.D;
var dd=0.0;for(var j=0u;j<p.D;j++){dd+=dz[qo+j]*z[qo+j];y[qo+j]=0.0;}
 for(var s=0u;s<last;s++){let ko=((bb*p.S+s)*p.Kh+kh)*p.D;var d=0.0;var e=0.0;for(var j=0u;j<p.D;j++){d+=q[qo+j]*k[ko+j];e+=dz[qo+j]*v[ko+j];} let ds=exp(d*p.scale-lse[(bb*p.H+h)*p.Q+t])*(e-dd)*p.scale;for(var j=0u;j<p.D;j++){y[qo+j]+=ds*k[ko+j];}}}

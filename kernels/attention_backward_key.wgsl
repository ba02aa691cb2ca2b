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
@group(0) @binding(8) var<storage,read_write> dk:array<f32>;
@group(0) @binding(9) var<storage,read_write> dv:array<f32>;
@group(1) @binding(0) var<uniform> p:P;
@compute @workgroup_size(64) fn main(@builtin(workgroup_id) wid:vec3u,@builtin(num_workgroups) n:vec3u,@builtin(local_invocation_index) l:u32){ let i=(wid.y*n.x+wid.x)*64u+l; if(i>=p.n){return;}
let kh=i%p.Kh;let u=(i/p.Kh)%p.Q;let bb=i/(p.Kh*p.Q);let s=start[bb]+u;let o=i*p.D;for(var j=0u;j<p.D;j++){dk[o+j]=0.0;dv[o+j]=0.0;} if(s>=len[bb]||s>=p.S){return;} let ko=((bb*p.S+s)*p.Kh+kh)*p.D;let g=p.H/p.Kh;
 for(var h=kh*g;h<(kh+1u)*g;h++){for(var t=u;t<p.Q;t++){let qo=((bb*p.Q+t)*p.H+h)*p.D;var d=0.0;var e=0.0;var dd=0.0;for(var j=0u;j<p.D;j++){d+=q[qo+j]*k[ko+j];e+=dz[qo+j]*v[ko+j];dd+=dz[qo+j]*z[qo+j];} let pr=exp(d*p.scale-lse[(bb*p.H+h)*p.Q+t]);let ds=pr*(e-dd)*p.scale;for(var j=0u;j<p.D;j++){dk[o+j]+=ds*q[qo+j];dv[o+j]+=pr*dz[qo+j];}}}}

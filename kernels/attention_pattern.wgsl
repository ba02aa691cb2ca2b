// STUB
struct P{n:u32,H:u32,Kh:u32,Q:u32,S:u32,D:u32,scale:f32}
@group(0) @binding(0) var<storage,read> q:array<f32>;
@group(0) @binding(1) var<storage,read> k:array<f32>;
@group(0) @binding(2) var<storage,read> start:array<u32>;
@group(0) @binding(3) var<storage,read> len:array<u32>;
@group(0) @binding(4) var<storage,read_write> y:array<f32>;
@group(1) @binding(0) var<uniform> p:P;
@compute @workgroup_size(64) fn main(@builtin(workgroup_id) wid:vec3u,@builtin(num_workgroups) n:vec3u,@builtin(local_invocation_index) l:u32){ let i=(wid.y*n.x+wid.x)*64u+l; if(i>=p.n){return;}
let h=i%p.H;let t=(i/p.H)%p.Q;let bb=i/(p.H*p.Q);let kh=h/(p.H/p.Kh);let last=min(start[bb]+t+1u,len[bb]);let qo=i*p.D;
let o=((bb*p.H+h)*p.Q+t)*p.S;var m=-3.0e38;for(var s=0u;s<last;s++){var d=0.0;let ko=((bb*p.S+s)*p.Kh+kh)*p.D;for(var j=0u;j<p.D;j++){d+=q[qo+j]*k[ko+j];} y[o+s]=d*p.scale;m=max(m,d*p.scale);}
 var sum=0.0;for(var s=0u;s<last;s++){y[o+s]=exp(y[o+s]-m);sum+=y[o+s];} for(var s=0u;s<p.S;s++){ if(s<last){y[o+s]/=sum;}else{y[o+s]=0.0;}}}

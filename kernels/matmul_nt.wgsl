// STUB
struct P{rows:u32,cols:u32,inner:u32,btype:u32,acc:u32,biastype:u32}
@group(0) @binding(0) var<storage,read> a:array<f32>;
@group(0) @binding(1) var<storage,read> b:array<u32>;
@group(0) @binding(2) var<storage,read> bias:array<u32>;
@group(0) @binding(3) var<storage,read_write> y:array<f32>;
@group(1) @binding(0) var<uniform> p:P;
fn wt(w:u32,i:u32,t:u32)->f32{ if(t==0u){return bitcast<f32>(w);} if(t==1u){return unpack2x16float(w)[i&1u];} return bitcast<f32>(select(w<<16u,w&0xffff0000u,(i&1u)==1u)); }
fn bat(i:u32)->f32{ if(p.btype==0u){return wt(b[i],i,0u);} return wt(b[i>>1u],i,p.btype); }
fn biat(i:u32)->f32{ if(p.biastype==9u){return 0.0;} if(p.biastype==0u){return wt(bias[i],i,0u);} return wt(bias[i>>1u],i,p.biastype); }
@compute @workgroup_size(64) fn main(@builtin(workgroup_id) wid:vec3u,@builtin(num_workgroups) n:vec3u,@builtin(local_invocation_index) l:u32){
 let i=(wid.y*n.x+wid.x)*64u+l; if(i>=p.rows*p.cols){return;} let r=i/p.cols; let c=i%p.cols; var s=0.0;
 for(var k=0u;k<p.inner;k++){ s+=a[r*p.inner+k]*bat(c*p.inner+k); }
 s+=biat(c); if(p.acc==1u){s+=y[i];} y[i]=s; }

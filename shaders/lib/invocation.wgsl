// lib/invocation.wgsl: which of a dispatch's workgroups and invocations this one is. What takes more workgroups than
// one dimension may have is folded into rows of equal length (src/plan.ts); the last may have a few too many.
struct Invocation {
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
}

// Apart from the one above, for its members are the same in a whole workgroup: what has barriers needs to know.
struct Group {
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
}

// The invocation's number among all.
fn number_of(invocation: Invocation) -> u32 {
  return invocation.id.y * invocation.groups.x * WORKGROUP_SIZE + invocation.id.x;
}

// The workgroup's number among all.
fn group_number(group: Group) -> u32 {
  return group.id.y * group.groups.x + group.id.x;
}

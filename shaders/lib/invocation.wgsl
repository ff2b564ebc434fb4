// lib/invocation.wgsl: the number of this workgroup and invocation within its dispatch. A dispatch with more workgroups
// than one dimension allows is folded into rows of equal length (src/plan.ts); the last row may have a few too many.
struct Invocation {
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
}

// Separate from the one above because its members are uniform within a workgroup, which code with barriers requires.
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

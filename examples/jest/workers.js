/** Code as applications have it: it takes a handle, and doesn't know what is behind it. */
exports.register = async (zk, name) => {
  await zk.mkdirp("/workers");
  await zk.create(`/workers/${name}`, null, { mode: "ephemeral" });
};
exports.list = async (zk) => (await zk.getChildren("/workers")).children.toSorted();

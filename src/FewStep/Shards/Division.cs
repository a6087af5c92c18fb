namespace FewStep.Shards;

/// <summary>A command that does one stage of divided work.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Folder">The folder of the results, which every stage of the work names.</param>
/// <param name="Command">The command line without program, folder and stage, from which the work can be merged.</param>
internal sealed record Division(ShardStage Stage, string Folder, IReadOnlyList<string> Command)
{
    /// <summary>What the share did; null as long as it has done nothing, and for the other stages.</summary>
    public Part? Done { get; private set; }

    /// <summary>The parts that were joined; null as long as none were.</summary>
    public Parts? Joined { get; private set; }

    /// <summary>Does the stage of some work.</summary>
    /// <returns>What the work gives; null after a share of it, or after what comes before all.</returns>
    public TResult? Run<TResult>(IDividedWork<TResult> work) where TResult : class
    {
        if (Stage == ShardStage.Prepare)
            return null;
        string run = Sha256.Of(work.Identity);
        if (Stage.Shard is { } shard)
        {
            var part = Part.Begin(Folder, shard, run, Command);
            work.Do(part);
            part.Mark(done: true);
            Done = part;
            return null;
        }

        var parts = Parts.Of(Folder).Of(run, Command);
        var result = work.Join(parts);
        Joined = parts;
        return result;
    }

    /// <summary>Removes the parts that were joined, once the results lie in the folder.</summary>
    public void Finish() => Joined?.Remove();
}

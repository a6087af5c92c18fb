namespace FewStep.Cli.Cluster;

/// <summary><c>fewstep cluster</c>: what a cluster's own scheduler needs to run the shards of a command.</summary>
internal static class ClusterVerb
{
    // What makes the verb of a scheduler.
    private static readonly Func<TerminalOutput, Command>[] Launchers = [SlurmLauncher.Create, KubernetesLauncher.Create];

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("cluster", "Write the jobs with which a cluster's own scheduler runs a command in shards (--shard) and "
            + "joins them.");
        foreach (var create in Launchers)
            command.Add(create(terminal));
        return command;
    }
}

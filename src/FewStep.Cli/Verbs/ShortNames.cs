namespace FewStep.Cli.Verbs;

/// <summary>Short names of the options that are typed most.</summary>
internal static class ShortNames
{
    /// <summary>-o for the place of the results, -s for the number of steps.</summary>
    public static void AddTo(Command root)
    {
        foreach (var command in root.WithSubcommands())
        {
            Option? Named(string name) => command.Options.FirstOrDefault(o => o.Name == name);
            (Named("--out") ?? Named("--output"))?.Aliases.Add("-o");
            Named("--steps")?.Aliases.Add("-s");
        }
    }
}

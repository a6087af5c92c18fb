namespace FewStep.Cli.Terminal;

/// <summary>What the program tells the shell.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Defect = 1;
    public const int Different = 1;

    /// <summary>Options, files or a model that cannot be used; one line says how to mend it.</summary>
    public const int BadInput = 2;

    /// <summary>What a shell reports of a program ended by Ctrl-C.</summary>
    public const int Interrupted = 130;
}

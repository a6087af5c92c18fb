namespace FewStep.Cli.Terminal;

/// <summary>Turns whatever went wrong into one line and an exit code.</summary>
internal static class Failures
{
    /// <summary>What the line of a failure begins with.</summary>
    public const string Prefix = "fewstep: ";

    private const string TraceVariable = "FEWSTEP_TRACE";

    public static int Report(Exception failure, TextWriter messages)
    {
        var (code, text) = Describe(failure);
        messages.WriteLine($"{Prefix}{Printable.Message(text)}");
        if (code == ExitCode.Defect && Environment.GetEnvironmentVariable(TraceVariable) is { Length: > 0 } and not "0")
            messages.WriteLine(failure);
        return code;
    }

    /// <summary>What a failure is said as.</summary>
    public static string Line(Exception failure) => Describe(failure).Text;

    private static (int Code, string Text) Describe(Exception failure) => failure switch
    {
        InvalidInputException { Option: nameof(ModelReadOptions.Pipeline) }
            => (ExitCode.BadInput, $"{failure.Message} {CheckpointFlags.NamesPipeline}"),
        InvalidInputException => (ExitCode.BadInput, failure.Message),
        OperationCanceledException => (ExitCode.Interrupted, "interrupted."),
        // What writes through a library (event files) fails with the system's own exceptions.
        IOException or UnauthorizedAccessException => (ExitCode.BadInput, $"{failure.Message} {WriteFailure.Remedy(failure)}"),
        _ when FailureText.IsMemory(failure) => (ExitCode.BadInput,
            "There is not enough memory; choose smaller batches (--batch, --tune-batch, --curve-batch), or a smaller model."),
        _ => (ExitCode.Defect, $"{FailureText.Sentence(failure)} This is a defect of fewstep; set {TraceVariable}=1 for the trace."),
    };
}

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

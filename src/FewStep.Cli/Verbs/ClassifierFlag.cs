namespace FewStep.Cli.Verbs;

/// <summary>The option <c>--classifier</c>: the folder of the classifier whose features define a Fréchet distance.</summary>
internal sealed class ClassifierFlag
{
    private const string Suffix = "-classifier";

    public ClassifierFlag(string description, bool besideModel = true)
    {
        string usual = besideModel ? $"the folder that is called as the model with {Suffix} after it, else that of the embedded model"
            : "that of the embedded model";
        Option = Flag.Optional<string?>("--classifier", $"{description} Left out, {usual}.", "folder");
    }

    public Option<string?> Option { get; }

    /// <summary>The folder that was named; else the one beside the model, where there is one; else the embedded one.</summary>
    public string Read(ParseResult parsed, string? model)
    {
        string? beside = model is null ? null : $"{Path.TrimEndingDirectorySeparator(model)}{Suffix}";
        return parsed.GetValue(Option) ?? (Directory.Exists(beside) ? beside : EmbeddedDefault.Classifier);
    }
}

using FewStep.Studio.Web;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep export --to web</c>: a sampler with its model as a folder of static files, whose page samples in the browser
/// alone.</summary>
internal sealed class WebTarget(Command command, GraphFlags graph)
{
    public const string Name = "web";

    /// <summary>What is written, for the help.</summary>
    public const string Description = "a folder with a page that samples with --sampler in the browser alone";

    private const double Million = 1e6, Thousand = 1e3;

    private readonly Option<string?> _runtime = command.Optional<string?>("--runtime", $"With --to {Name}: ONNX Runtime Web's files, which "
        + $"are copied: the folder dist of the npm package onnxruntime-web {WebRuntime.Version}.", "folder");

    /// <summary>The options that are for this target alone.</summary>
    public IEnumerable<Option> All => [_runtime];

    public void Write(ParseResult parsed, LevelsArgument levels, SamplerFlags sampling, string? output, bool json,
        TerminalOutput terminal, CancellationToken cancellation)
    {
        string folder = output ?? throw new InvalidInputException($"--to {Name} needs a place: --output folder.");
        if (!sampling.IsSamplerGiven(parsed) && sampling.Schedule(parsed) is null)
        {
            throw new InvalidInputException(
                $"--to {Name} needs a sampler: --sampler {SamplerChoice.Usual}, a file, or {GraphFlags.OwnSampler} for the model's.");
        }

        AtomicFolder.RequireFree("--output", folder);
        var runtime = WebRuntime.Open(parsed.GetValue(_runtime));
        var (opened, sampler) = graph.Open(parsed, levels, sampling, terminal, cancellation);
        using var model = opened;
        var options = graph.Read(parsed);
        var written = WebExport.Write(model, sampler!, folder, runtime, options, cancellation);
        var result = new
        {
            folder,
            sampler = sampler!.ToString(),
            bytes = written.Bytes,
            page_bytes = written.PageBytes,
            sampler_bytes = written.Graph.Bytes,
            runtime_version = runtime.Found,
            evaluations = written.Graph.Evaluations,
            relative_error = written.Graph.Error,
            rounding_error = options.HalfWeights ? written.Graph.RoundingError : (double?)null,
            model_hash = model.Hash,
        };
        terminal.Result(json, result,
            $"A page that samples with {sampler} and {model.Name} is in {folder}: {written.Bytes / Million:F1} MB, of which the sampler is "
                + $"{written.Graph.Bytes / Million:F1} MB and the page {written.PageBytes / Thousand:F0} kB. It needs a web server, any "
                + $"static one: python3 -m http.server --directory {ShellWord.Of(folder)}");
        GraphFlags.SayRounding(terminal, options, written.Graph);
    }
}

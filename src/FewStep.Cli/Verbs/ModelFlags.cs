using static TorchSharp.torch;

namespace FewStep.Cli.Verbs;

/// <summary>Options about a model that is sampled; those about a checkpoint are <see cref="CheckpointFlags"/>.</summary>
/// <param name="guides">Whether guidance means anything.</param>
/// <param name="takesOnnx">Whether the model may be an ONNX file.</param>
/// <param name="ranges">Whether the verb has the options of <see cref="ScheduleRangeFlags"/> here.</param>
internal sealed class ModelFlags(Command command, bool guides = true, bool takesOnnx = true, bool ranges = true)
{
    private readonly ScheduleRangeFlags? _range = ranges ? new(command) : null;
    private readonly GuidanceFlags? _guidance = guides ? new(command) : null;
    private readonly PromptFlags _prompts = new(command, guides);
    private readonly OnnxFlags? _onnx = takesOnnx ? new(command) : null;

    /// <summary>The options that say more of a model than its file does, and how it is guided; those about checkpoints apart.</summary>
    public IEnumerable<Option> All => [.. _range?.All ?? [], .. _guidance?.All ?? [], .. _prompts.All, .. _onnx?.All ?? []];

    public ModelOptions Read(ParseResult parsed, ScalarType? type, int threads) => Read(parsed, type, threads, ReadPrompts(parsed));

    /// <summary>The prompts; null where there are none.</summary>
    public Prompts? ReadPrompts(ParseResult parsed) => _prompts.Read(parsed);

    private ModelOptions Read(ParseResult parsed, ScalarType? type, int threads, Prompts? prompts) => new()
    {
        SigmaMin = _range?.Read(parsed).Low,
        SigmaMax = _range?.Read(parsed).High,
        ComputeType = type,
        Threads = threads,
        Onnx = _onnx?.Read(parsed) ?? new(),
        Checkpoint = CheckpointFlags.Read(parsed),
        Guidance = _guidance?.Read(parsed),
        Guide = _guidance?.ReadGuide(parsed),
        Prompts = prompts?.Texts,
        CaptionedImages = prompts?.Images,
        NegativePrompt = _prompts.ReadNegative(parsed),
        Provider = _onnx?.ReadProvider(parsed),
        Device = DeviceFlag.Read(parsed),
    };

    /// <summary>The options about checkpoint, guidance, prompts and ONNX that were given, each word of the command line with a space
    /// before.</summary>
    public string Said(ParseResult parsed) => CheckpointFlags.Said(parsed)
        + Said(parsed, [.. _guidance?.All ?? [], .. _prompts.All, .. _onnx?.All ?? []]);

    /// <summary>Those that a model needs to be said which was tuned from this one: it has guidance and LoRAs in its weights, and remembers
    /// its pipeline.</summary>
    public string SaidOfTuned(ParseResult parsed, Model source)
        => source.Pipeline is null ? "" : Said(parsed, _prompts.All.Where(o => o.Name != PromptFlags.Negative));

    public static string Said(ParseResult parsed, IEnumerable<Option> options) => string.Concat(options.Where(parsed.IsGiven)
        .SelectMany(o => parsed.GetResult(o)!.Tokens.SelectMany(t => new[] { o.Name, t.Value })).Select(w => $" {ShellWord.Of(w)}"));

    /// <summary>Refuses the options of the schedules' noise levels where every schedule is given.</summary>
    public void RefuseIdleRange(ParseResult parsed, params IEnumerable<ScheduleChoice?> chosen) => _range?.RefuseIdle(parsed, chosen);
}

/// <summary>How the model is guided.</summary>
internal sealed class GuidanceFlags(Command command)
{
    private readonly Option<double?> _weight = command.Optional<double?>("--guidance", "Guidance weight w: D = D_guide + w (D - D_guide), "
        + "where the guide is the model without labels, or --guide. Each guided evaluation costs two.", "w");
    private readonly Option<string?> _interval = command.Optional<string?>(
        "--guidance-interval", "Noise levels that guidance acts at; left out, all.", "lo,hi");
    private readonly Option<string?> _guide = command.Optional<string?>(
        "--guide", "A weaker model that guides (autoguidance), in place of the model without labels. It must say everything itself: "
            + "options about checkpoints and ONNX files are for the model alone; convert makes a folder that does.", "model");

    private readonly Option<double?> _rescale = command.Optional<double?>(
        "--guidance-rescale", "How much of the contrast that guidance adds is taken back, 0 to 1; left out, 0.", "phi");

    public IEnumerable<Option> All => [_weight, _interval, _rescale, _guide];

    public string? ReadGuide(ParseResult parsed) => parsed.GetValue(_guide);

    public Guidance? Read(ParseResult parsed)
    {
        if (parsed.GetValue(_weight) is not double weight)
        {
            OptionValues.RefuseIdle(parsed, [_interval, _rescale, _guide], "--guidance w");
            return null;
        }

        var guidance = new Guidance { Weight = weight, Rescale = parsed.GetValue(_rescale) ?? 0 };
        if (parsed.GetValue(_interval) is string text)
        {
            guidance = NumberList.Read<double>(text) is [var low, var high] ? guidance with { SigmaLow = low, SigmaHigh = high }
                : throw new InvalidInputException($"--guidance-interval '{text}' must be two noise levels, e.g. 0.3,5.");
        }

        guidance.Validate();
        return guidance;
    }
}

/// <summary>What a model that makes images of text is told.</summary>
/// <param name="guides">Whether guidance, and so a negative prompt, means anything.</param>
internal sealed class PromptFlags(Command command, bool guides)
{
    public const string Negative = "--negative-prompt";

    private readonly Option<string?> _prompt = command.Optional<string?>("--prompt", "Prompt of all images, of a model that takes text.");
    private readonly Option<string?> _prompts = command.Optional<string?>(
        "--prompts", "File of prompts, in place of one: a text file with one a line, JSON captions of COCO, or a folder of images with "
            + $"captions (a .txt file beside each, or {ImageCaptions.ListName}). The image of a seed is of the prompt seed mod their "
            + "number; images of --data that captions are of are measured under them.", "file");

    private readonly Option<string?>? _negative = guides ? command.Optional<string?>(
        Negative, "What classifier-free guidance leads away from; left out, the empty prompt.", "text") : null;

    public IEnumerable<Option> All => _negative is null ? [_prompt, _prompts] : [_prompt, _prompts, _negative];

    public string? ReadNegative(ParseResult parsed) => _negative is null ? null : parsed.GetValue(_negative);

    public Prompts? Read(ParseResult parsed) => (parsed.GetValue(_prompt), parsed.GetValue(_prompts)) switch
    {
        (null, null) => null,
        ({ } prompt, null) => new Prompts([prompt], "--prompt", Sha256.Of(prompt)),
        (null, { } path) => Prompts.Read(path),
        _ => throw new InvalidInputException("--prompt and --prompts both say what images are of; leave one of them out."),
    };
}

/// <summary>What an ONNX file does not say.</summary>
internal sealed class OnnxFlags(Command command)
{
    private readonly Option<OnnxPrediction?> _prediction = command.Named<OnnxPrediction?>(
        "--onnx-prediction", "What an ONNX model gives. A description may lie beside the model as model.onnx.json.", null,
        ("denoised", OnnxPrediction.Denoised), ("epsilon", OnnxPrediction.Epsilon), ("v", OnnxPrediction.V),
        ("sample", OnnxPrediction.Sample), ("flow", OnnxPrediction.Flow));

    private readonly Option<string?> _noise = command.Optional<string?>(
        "--onnx-noise", "The noise that an ONNX model was trained on: vp-linear, vp-scaled-linear, vp-cosine or rectified-flow.", "name");
    private readonly Option<string?> _shape = command.Optional<string?>(
        "--onnx-shape", "Shape of an ONNX model's images, where the file leaves it open.", "C,H,W");
    private readonly Option<int?> _classes = command.Optional<int?>(
        "--onnx-classes", "Number of an ONNX model's classes, where the file leaves it open.");

    private readonly Option<OnnxProvider?> _provider = command.Named<OnnxProvider?>(
        "--provider", "What ONNX Runtime computes with; left out, the processor.", null, ("cpu", OnnxProvider.Cpu),
        ("cuda", OnnxProvider.Cuda), ("directml", OnnxProvider.DirectML), ("coreml", OnnxProvider.CoreML));

    public IEnumerable<Option> All => [_prediction, _noise, _shape, _classes, _provider];

    public OnnxProvider? ReadProvider(ParseResult parsed) => parsed.GetValue(_provider);

    public OnnxModelDescription Read(ParseResult parsed) => new()
    {
        Prediction = parsed.GetValue(_prediction),
        Noise = parsed.GetValue(_noise),
        Shape = Shape(parsed.GetValue(_shape)),
        Classes = parsed.GetValue(_classes),
    };

    private static ImageShape? Shape(string? text) => text is null
        ? null
        : NumberList.Read<double>(text) is [double c, double h, double w]
            && new[] { c, h, w }.All(n => n == Math.Floor(n) && n is >= 1 and <= 65536)
            ? new ImageShape((int)c, (int)h, (int)w)
            : throw new InvalidInputException($"--onnx-shape '{text}' must be channels, height and width, e.g. 3,64,64.");
}

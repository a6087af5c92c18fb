using static TorchSharp.torch;

namespace FewStep.Cli.Verbs;

/// <summary>Options about the model, for the verbs that sample it; those about a checkpoint are <see cref="CheckpointFlags"/>, which every
/// verb with a model has.</summary>
internal sealed class ModelFlags
{
    private readonly Option<double?> _weight = Flag.Optional<double?>("--guidance", "Guidance weight w: D = D_guide + w (D - D_guide), "
        + "where the guide is the model without labels, or --guide. Each guided evaluation costs two.", "w");
    private readonly Option<string?> _interval = Flag.Optional<string?>(
        "--guidance-interval", "Noise levels that guidance acts at; left out, all.", "lo,hi");
    private readonly Option<string?> _guide = Flag.Optional<string?>(
        "--guide", "A weaker model that guides (autoguidance), in place of the model without labels. It must say everything itself: "
            + "options about checkpoints and ONNX files are for the model alone; convert makes a folder that does.", "model");

    private readonly Option<OnnxPrediction?> _prediction = Flag.Named<OnnxPrediction?>(
        "--onnx-prediction",
        "What an ONNX model gives. A description may lie beside the model as model.onnx.json.",
        null,
        ("denoised", OnnxPrediction.Denoised), ("epsilon", OnnxPrediction.Epsilon), ("v", OnnxPrediction.V), ("sample",
            OnnxPrediction.Sample), ("flow", OnnxPrediction.Flow));

    private readonly Option<string?> _noise = Flag.Optional<string?>(
        "--onnx-noise", "The noise that an ONNX model was trained on: vp-linear, vp-scaled-linear, vp-cosine or rectified-flow.", "name");
    private readonly Option<string?> _shape = Flag.Optional<string?>(
        "--onnx-shape", "Shape of an ONNX model's images, where the file leaves it open.", "C,H,W");
    private readonly Option<int?> _classes = Flag.Optional<int?>(
        "--onnx-classes", "Number of an ONNX model's classes, where the file leaves it open.");

    public IEnumerable<Option> All => [_weight, _interval, _guide, _prediction, _noise, _shape, _classes];
    public IEnumerable<Option> GuidanceAlone => [_weight, _interval, _guide];

    /// <summary>The options about an ONNX file alone.</summary>
    public IEnumerable<Option> OnnxAlone => [_prediction, _noise, _shape, _classes];

    public ModelOptions Read(ParseResult parsed, ScalarType type, int threads)
    {
        var onnx = new OnnxModelDescription
        {
            Prediction = parsed.GetValue(_prediction),
            Noise = parsed.GetValue(_noise),
            Shape = Shape(parsed.GetValue(_shape)),
            Classes = parsed.GetValue(_classes)
        };
        return new ModelOptions
        {
            ComputeType = type,
            Threads = threads,
            Onnx = onnx,
            Checkpoint = CheckpointFlags.Read(parsed),
            Guidance = ReadGuidance(parsed),
            Guide = parsed.GetValue(_guide),
            Device = DeviceFlag.Read(parsed),
        };
    }

    private Guidance? ReadGuidance(ParseResult parsed)
    {
        if (parsed.GetValue(_weight) is not double weight)
        {
            OptionValues.RefuseIdle(parsed, [_interval, _guide], "--guidance w");
            return null;
        }

        var guidance = new Guidance { Weight = weight };
        if (parsed.GetValue(_interval) is string text)
        {
            double[] ends = Numbers(text) is [double low, double high] ? [low, high]
                : throw new InvalidInputException($"--guidance-interval '{text}' must be two noise levels, e.g. 0.3,5.");
            guidance = guidance with { SigmaLow = ends[0], SigmaHigh = ends[1] };
        }

        guidance.Validate();
        return guidance;
    }

    private static ImageShape? Shape(string? text) => text is null
        ? null
        : Numbers(text) is [double c, double h, double w] && new[] { c, h, w }.All(n => n == Math.Floor(n) && n is >= 1 and <= 65536)
            ? new ImageShape((int)c, (int)h, (int)w)
            : throw new InvalidInputException($"--onnx-shape '{text}' must be channels, height and width, e.g. 3,64,64.");

    private static double[]? Numbers(string text)
    {
        var numbers = new List<double>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) || double.IsNaN(number))
                return null;

            numbers.Add(number);
        }

        return [.. numbers];
    }
}

using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>How a CLIP's images are made of others, as its <c>preprocessor_config.json</c> says: the shorter side resized bicubically, the
/// centre cut out, normalised. Resizing is Pillow's: the kernel (a = -1/2) widens where images shrink, and each direction is rounded to 8
/// bits.</summary>
internal sealed record ClipPreprocessing
{
    public const string FileName = "preprocessor_config.json";

    private const int Bicubic = 3;
    private const double A = -0.5;

    // What says how others handle files and batches.
    private static readonly HashSet<string> Ignored = new(StringComparer.Ordinal)
    {
        "crop_pct", "data_format", "default_to_square", "device", "disable_grouping", "do_convert_rgb", "do_pad", "feature_extractor_type",
        "image_processor_type", "input_data_format", "processor_class", "return_tensors",
    };

    /// <summary>Length of the shorter side after resizing.</summary>
    public int ShorterSide { get; init; } = 224;

    /// <summary>Side of the square that is cut out.</summary>
    public int Side { get; init; } = 224;

    /// <summary>Of red, green and blue in 0 to 1.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0.48145466, 0.4578275, 0.40821073];

    public IReadOnlyList<double> Deviation { get; init; } = [0.26862954, 0.26130258, 0.27577711];

    public static ClipPreprocessing Read(string path)
    {
        var given = JsonFile.ReadPython(path);
        InvalidInputException Unknown(string key, string known) => new(
            $"{path}: {key} is {Printable.Line(given[key].GetRawText(), 60)}; known is {known}.");
        int Length(string key, params string[] names)
        {
            var value = given.TryGetValue(key, out var found) ? found : throw new InvalidInputException($"{path}: {key} is missing.");
            JsonElement[] said = value.ValueKind == JsonValueKind.Object
                ? [.. value.EnumerateObject().Where(p => names.Contains(p.Name)).Select(p => p.Value)] : [value];
            int[] lengths = [.. said.Select(Whole).Distinct()];
            return lengths is [>= 1 and <= 4096 and var length] ? length
                : throw Unknown(key, $"1 to 4096, or {string.Join(" and ", names)}");
        }

        IReadOnlyList<double> Colours(string key, IReadOnlyList<double> usual, Func<double, bool> isValid)
        {
            if (!given.TryGetValue(key, out var value))
                return usual;
            double[] numbers = value.ValueKind == JsonValueKind.Array
                ? [.. value.EnumerateArray().Select(v => v.ValueKind == JsonValueKind.Number ? v.GetDouble() : double.NaN)] : [];
            return numbers.Length == 3 && numbers.All(isValid) ? numbers : throw Unknown(key, "three numbers");
        }

        foreach (string key in new[] { "do_resize", "do_center_crop", "do_rescale", "do_normalize" })
        {
            if (given.TryGetValue(key, out var value) && value.ValueKind is not (JsonValueKind.True or JsonValueKind.Null))
                throw Unknown(key, "true");
        }

        if (given.TryGetValue("resample", out var filter) && Whole(filter) != Bicubic)
            throw Unknown("resample", $"{Bicubic}, bicubic");
        if (given.TryGetValue("rescale_factor", out var factor)
            && !(factor.ValueKind == JsonValueKind.Number && Math.Abs((factor.GetDouble() * 255) - 1) < 1e-6))
        {
            throw Unknown("rescale_factor", "1/255");
        }

        string[] read = ["size", "crop_size", "image_mean", "image_std", "do_resize", "do_center_crop", "do_rescale", "do_normalize",
            "resample", "rescale_factor"];
        if (given.FirstOrDefault(pair => pair.Value.ValueKind != JsonValueKind.Null && !pair.Key.StartsWith('_')
            && !Ignored.Contains(pair.Key) && !read.Contains(pair.Key)).Key is { } other)
        {
            throw Unknown(Printable.Line(other, 60), string.Join(", ", read));
        }

        var usual = new ClipPreprocessing();
        var made = new ClipPreprocessing
        {
            ShorterSide = Length("size", "shortest_edge", "height", "width"),
            Side = Length("crop_size", "height", "width"),
            Mean = Colours("image_mean", usual.Mean, double.IsFinite),
            Deviation = Colours("image_std", usual.Deviation, d => d > 0 && double.IsFinite(d)),
        };
        return made.ShorterSide >= made.Side ? made : throw Unknown("size", $"the crop's {made.Side} or more");
    }

    private static int Whole(JsonElement value)
        => value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : 0;

    /// <summary>What the network is given of images.</summary>
    /// <param name="pixels">[B,C,H,W] in [-1,1], of 8 bits, with 1 or 3 channels.</param>
    /// <returns>[B,3,S,S] float32; belongs to the current dispose scope.</returns>
    public Tensor Of(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        int height = (int)pixels.shape[2], width = (int)pixels.shape[3], shorter = Math.Min(height, width);
        int high = (int)((long)ShorterSide * height / shorter), wide = (int)((long)ShorterSide * width / shorter);
        var (down, across) = (Weights(height, high), Weights(width, wide));
        var mean = tensor([.. Mean]).view(3, 1, 1);
        var deviation = tensor([.. Deviation]).view(3, 1, 1);
        var made = new List<Tensor>();
        for (long i = 0; i < pixels.shape[0]; i++)
        {
            using var image = NewDisposeScope();
            var bytes = PixelScale.Levels(pixels[i].cpu()).to(float64);
            var resized = Rounded(matmul(down, Rounded(matmul(bytes, across.t()))));
            var cut = resized.narrow(1, (high - Side) / 2, Side).narrow(2, (wide - Side) / 2, Side);
            made.Add(((cut.Over(255) - mean) / deviation).to(float32).MoveToOuterDisposeScope());
        }

        return stack(made).MoveToOuterDisposeScope();
    }

    /// <summary>Weights of a row's values in the resized row, [made, given].</summary>
    internal static Tensor Weights(int given, int made)
    {
        double scale = (double)given / made, stretch = Math.Max(scale, 1), reach = 2 * stretch;
        var weights = new double[made * given];
        for (int i = 0; i < made; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = Math.Max(0, (int)(centre - reach + 0.5)), end = Math.Min(given, (int)(centre + reach + 0.5));
            double[] row = [.. Enumerable.Range(first, end - first).Select(x => Kernel((x - centre + 0.5) / stretch))];
            double sum = row.Sum();
            for (int k = 0; k < row.Length; k++)
                weights[(i * given) + first + k] = row[k] / sum;
        }

        return tensor(weights, [made, given]);
    }

    // Keys 1981: the cubic through its neighbours with slope a.
    private static double Kernel(double x) => Math.Abs(x) switch
    {
        < 1 and var d => ((((A + 2) * d) - (A + 3)) * d * d) + 1,
        < 2 and var d => ((((A * d) - (5 * A)) * d + (8 * A)) * d) - (4 * A),
        _ => 0,
    };

    private static Tensor Rounded(Tensor levels) => levels.Plus(0.5).floor().Clamp(0, 255);
}

namespace FewStep.Checkpoints;

/// <summary>The network of a pipeline that a low-rank update is for.</summary>
internal enum LoraPart
{
    /// <summary>The U-Net or transformer.</summary>
    Denoiser,

    /// <summary>The text encoder, the first where there are two.</summary>
    TextEncoder,

    /// <summary>The second text encoder.</summary>
    SecondTextEncoder,
}

/// <summary>Low-rank updates of a model's weights (LoRA, Hu et al. 2106.09685) in the names of diffusers, PEFT, diffusers' attention
/// processors or kohya's scripts: W + scale alpha / rank up down. Owns its tensors; dispose it.</summary>
internal sealed class LoraFile : IDisposable
{
    private const string PeftMetadata = "lora_adapter_metadata", PeftConfig = "adapter_config.json";

    private readonly string _path;
    private readonly TensorsByName _tensors;
    private readonly Dictionary<(LoraPart Part, string Module), LoraModule> _modules = [];

    /// <summary>The file.</summary>
    public string FilePath => _path;

    /// <summary>SHA-256 of the file.</summary>
    public string Hash => field ??= Sha256.OfFile(_path);

    private LoraFile(string path, TensorsByName tensors) => (_path, _tensors) = (path, tensors);

    /// <summary>Parts of a pipeline that it updates.</summary>
    public IReadOnlyList<LoraPart> Parts => [.. _modules.Keys.Select(key => key.Part).Distinct().Order()];

    /// <summary>Number of updated weights.</summary>
    public int Count => _modules.Count;

    /// <summary>Reads a file of safetensors or <c>torch.save</c>; every tensor in it must be understood.</summary>
    /// <returns>The updates; the caller owns them.</returns>
    public static LoraFile Read(string path)
    {
        var state = StateDictionary.Read(path);
        var file = new LoraFile(path, state.Tensors);
        try
        {
            using var scope = NewDisposeScope();
            foreach (var (name, tensor) in state.Tensors)
                file.Add(name, tensor);
            var alphas = Alphas(file.PeftSettings(state), path);
            foreach (var ((part, module), update) in file._modules)
            {
                if (update.Down is null || update.Up is null)
                {
                    throw new InvalidInputException($"{path} has only one half of the update of {Printable.Text(module)}. Fetch the file "
                        + "again.");
                }

                update.Alpha ??= alphas.TryGetValue(part, out double alpha) ? alpha : null;
                update.Check(path, module);
            }

            return file._modules.Count > 0 ? file : throw new InvalidInputException($"{path} holds no LoRA.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Adds the updates of a part to its weights, which become float32; each must find its weight.</summary>
    /// <param name="weights">Weights by the names of diffusers or transformers; changed.</param>
    /// <param name="scale">Factor of the whole LoRA: 1 is as it was trained.</param>
    public void Fuse(TensorsByName weights, LoraPart part, double scale)
    {
        var updates = Resolve(weights, part); // all of them first: nothing is changed where one is refused
        using var noGradient = no_grad();
        foreach (var (name, update) in updates)
        {
            using var scope = NewDisposeScope();
            Tensor before = weights[name];
            weights[name] = before.to(ScalarType.Float32).Plus(update.Product().view(before.shape), scale * update.Strength)
                .DetachFromDisposeScope();
            before.Dispose();
        }
    }

    /// <summary>Refuses updates of parts that a pipeline has not.</summary>
    public void RefuseAllBut(params ReadOnlySpan<LoraPart> parts)
    {
        foreach (var (part, module) in _modules.Keys)
        {
            if (!parts.Contains(part))
            {
                throw new InvalidInputException($"{_path} updates {Printable.Text(module)} of {Words(part)}, which the model has not. Give "
                    + "a LoRA of its own kind.");
            }
        }
    }

    public void Dispose() => _tensors.Dispose();

    private static string Words(LoraPart part) => part switch
    {
        LoraPart.TextEncoder => "a text encoder",
        LoraPart.SecondTextEncoder => "a second text encoder",
        _ => "a U-Net or transformer",
    };

    private void Add(string name, Tensor tensor)
    {
        var key = LoraKey.Parse(name) ?? throw new InvalidInputException($"{_path} holds {Printable.Text(name)}, which is no name of a "
            + "LoRA that is known here (those of diffusers, PEFT and kohya: lora.down, lora_A, lora_down and alpha).");
        if (!_modules.TryGetValue((key.Part, key.Module), out var update))
            _modules.Add((key.Part, key.Module), update = new LoraModule { Underscored = key.Underscored });
        bool isSecond = key.Role switch
        {
            LoraRole.Down => update.Down is not null,
            LoraRole.Up => update.Up is not null,
            _ => update.Alpha is not null,
        };
        if (isSecond)
            throw new InvalidInputException($"{_path} says twice what {Printable.Text(name)} says. Fetch the file again.");
        if (key.Role == LoraRole.Down)
        {
            update.Down = tensor;
        }
        else if (key.Role == LoraRole.Up)
        {
            update.Up = tensor;
        }
        else
        {
            update.Alpha = tensor.numel() == 1 ? tensor.to(ScalarType.Float64).view([]).AsDouble()
                : throw new InvalidInputException($"{_path}: {Printable.Text(name)} is no single number. Fetch the file again.");
        }
    }

    private List<(string Name, LoraModule Update)> Resolve(TensorsByName weights, LoraPart part)
    {
        const string End = ".weight";
        var names = new Dictionary<string, string?>(StringComparer.Ordinal); // null where two modules have one name in underscores
        string[] all = [.. weights.Keys.Where(name => name.EndsWith(End, StringComparison.Ordinal)).Select(name => name[..^End.Length])];
        var others = new LatentDiffusionNames(all);
        foreach (string module in all)
        {
            foreach (string underscored in new[] { module.Replace('.', '_'), others.Of(module) }.OfType<string>())
                names[underscored] = names.ContainsKey(underscored) ? null : module + End;
        }

        var found = new List<(string, LoraModule)>();
        foreach (var ((_, module), update) in _modules.Where(entry => entry.Key.Part == part))
        {
            string? name = update.Underscored ? names.GetValueOrDefault(module)
                : weights.ContainsKey(module + End) ? module + End : null;
            if (name is null)
            {
                throw new InvalidInputException($"{_path} updates {Printable.Text(module)}, which the model has not. Give a LoRA of its "
                    + "own kind.");
            }

            long[] shape = weights[name].shape;
            if (!update.Fits(shape))
            {
                throw new InvalidInputException($"{_path}: the update of {Printable.Text(module)} is {update.Shapes}, the model's weight "
                    + $"[{string.Join(',', shape)}]. Give a LoRA of its own kind.");
            }

            found.Add((name, update));
        }

        return found;
    }

    // What PEFT writes beside its tensors, rank and alpha of each part: in the file, or in another where it is PEFT's own.
    private Dictionary<string, JsonElement> PeftSettings(StateDictionary state)
    {
        if (state.Tensors.Keys.Any(name => name.StartsWith(LoraKey.Peft, StringComparison.Ordinal)))
        {
            string beside = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, PeftConfig);
            return File.Exists(beside) ? JsonFile.ReadPython(beside).ToDictionary(entry => LoraKey.Peft + entry.Key, entry => entry.Value)
                : throw new InvalidInputException(
                    $"{_path} is a LoRA in PEFT's own form, whose alpha stands in {PeftConfig}. Put that file beside it.");
        }

        try
        {
            return state.Metadata.TryGetValue(PeftMetadata, out string? text)
                ? JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(text) ?? [] : [];
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{_path}: its {PeftMetadata} is not valid: {JsonProblem.Describe(e)}.", e);
        }
    }

    private static Dictionary<LoraPart, double> Alphas(Dictionary<string, JsonElement> given, string path)
    {
        try
        {
            var alphas = new Dictionary<LoraPart, double>();
            foreach (var (key, value) in given)
            {
                int dot = key.LastIndexOf('.');
                string setting = key[(dot + 1)..];
                bool differs = setting switch
                {
                    "alpha_pattern" => value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Any(),
                    "use_rslora" or "use_dora" or "fan_in_fan_out" => value.ValueKind == JsonValueKind.True,
                    _ => false,
                };
                if (differs)
                {
                    throw new InvalidInputException($"{path}: {Printable.Line(key, 60)} is {Printable.Line(value.GetRawText(), 60)}, which "
                        + "is not known here; read are LoRAs with one alpha.");
                }

                if (setting == "lora_alpha" && LoraKey.PartOf(key[..(dot + 1)]) is LoraPart part)
                    alphas[part] = value.GetDouble();
            }

            return alphas;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException)
        {
            throw new InvalidInputException($"{path}: what PEFT wrote of its lora_alpha is no number. Fetch the file again.", e);
        }
    }

    /// <summary>The update of one weight.</summary>
    private sealed class LoraModule
    {
        /// <summary>Whether the module's name has underscores for dots.</summary>
        public required bool Underscored { get; init; }

        /// <summary>[rank, in] or [rank, in, height, width].</summary>
        public Tensor? Down { get; set; }

        /// <summary>[out, rank] or [out, rank, 1, 1].</summary>
        public Tensor? Up { get; set; }

        /// <summary>Null is the rank.</summary>
        public double? Alpha { get; set; }

        /// <summary>The product's shapes, for messages.</summary>
        public string Shapes => $"[{string.Join(',', Up!.shape)}] times [{string.Join(',', Down!.shape)}]";

        /// <summary>Factor of the product at scale 1.</summary>
        public double Strength => Alpha / Down!.shape[0] ?? 1;

        public void Check(string path, string module)
        {
            long[] down = Down!.shape, up = Up!.shape;
            bool isProduct = down.Length is 2 or 4 && up.Length is 2 or 4 && up[1] == down[0] && down[0] > 0
                && up.Skip(2).All(side => side == 1);
            if (!isProduct || Alpha is double alpha && !double.IsFinite(alpha))
            {
                throw new InvalidInputException($"{path}: the update of {Printable.Text(module)} is {Shapes}, which is no product of a low "
                    + "rank that is known here, or its alpha is no number.");
            }
        }

        // A convolution of one pixel and a matrix are the same.
        public bool Fits(long[] shape) => shape.Length is 2 or 4 && Up!.shape[0] == shape[0]
            && (Down!.shape.Length == shape.Length ? Down.shape.AsSpan(1).SequenceEqual(shape.AsSpan(1))
                : Down.shape[1] == shape[1] && Down.shape.Skip(2).Concat(shape.Skip(2)).All(side => side == 1));

        public Tensor Product() => Up!.to(ScalarType.Float32).flatten(1).mm(Down!.to(ScalarType.Float32).flatten(1));
    }
}

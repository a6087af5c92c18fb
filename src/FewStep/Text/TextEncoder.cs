using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Text;

/// <summary>A text encoder in a folder of transformers: <c>config.json</c> and the weights beside it, which are read when they are first
/// needed. Not for several threads at once.</summary>
internal sealed class TextEncoder : ITextEncoder
{
    private const string T5 = "T5EncoderModel", Clip = "CLIPTextModel", ClipWithProjection = "CLIPTextModelWithProjection",
        OlderClip = "clip_text_model";

    private readonly string _folder, _class;
    private readonly TextEncoderOptions _options;
    private readonly TextNetwork _network;
    private TensorsByName? _weights;
    private Tensor? _flat;

    private TextEncoder(string folder, string name, TextNetwork network, TextEncoderOptions options)
        => (_folder, _class, _network, _options) = (folder, name, network, options);

    /// <summary>The classes that are read.</summary>
    public static IReadOnlyList<string> Classes { get; } = [Clip, OlderClip, ClipWithProjection, T5];

    public bool Projects => _class == ClipWithProjection;
    public bool IsT5 => _network is T5Network;
    public int? Positions => _network.Positions;
    public int Width => _network.Width;
    public int? PooledWidth => _network.PooledWidth;

    public TextNetwork Network => _network;

    /// <summary>Flat float32 weights with the LoRAs in them, read when they are first asked for; owned here.</summary>
    public Tensor FlatWeights => _flat ??= Flatten();

    /// <summary>SHA-256 of configuration, weights and LoRAs.</summary>
    public string Hash => field ??= Sha256.Of(string.Join('\n', [Sha256.OfFile(Path.Combine(_folder, DiffusersPipeline.ConfigName)),
        Weights.Hash, .. _options.Loras.Where(lora => lora.Lora.Parts.Contains(_options.Part))
            .Select(lora => InvariantText.Of($"with {lora.Lora.Hash} times {lora.Scale:R}"))]));

    private IPartWeights Weights
        => _options.Weights ?? DiffusersWeights.FindLike(_folder, _options.Variant, DiffusersWeights.TransformersStems);

    /// <summary>Reads the configuration; the caller owns the encoder.</summary>
    public static TextEncoder Open(string folder, TextEncoderOptions? options = null)
    {
        string path = Path.Combine(folder, DiffusersPipeline.ConfigName);
        var given = JsonFile.ReadPython(path);
        string name = OtherNetworks.ClassOf(given) ?? throw new InvalidInputException(
            $"{path} names no architecture, so what it describes is unknown. Fetch the text encoder's folder again.");
        TextNetwork network = name switch
        {
            Clip or OlderClip
                => new ClipTextNetwork(TextConfig.Read<ClipTextOptions>(path, given).Checked(path), projects: false),
            ClipWithProjection
                => new ClipTextNetwork(TextConfig.Read<ClipTextOptions>(path, given).Checked(path), projects: true),
            T5 => new T5Network(TextConfig.Read<T5Options>(path, given).Checked(path)),
            _ => throw new InvalidInputException($"{path} describes {OtherNetworks.OfClass(name)}; read are {Clip}, "
                + $"{ClipWithProjection} and {T5}."),
        };
        return new TextEncoder(folder, name, network, options ?? new());
    }

    /// <summary>Encodes texts; the weights are read by the first call.</summary>
    /// <inheritdoc/>
    /// <param name="ids">Token ids int64 [B,L], on any device.</param>
    /// <returns>States on the options' device, in the current dispose scope.</returns>
    public TextStates Encode(Tensor ids, TextLayer layer, Tensor? mask = null)
    {
        if (layer.Skipped < 0 || layer.Skipped >= _network.Depth)
        {
            throw new InvalidInputException(
                $"The text encoder in {_folder} has {_network.Depth} layers, of which {layer.Skipped} cannot be left out.");
        }

        if (_network.Positions is int most && ids.shape[1] > most)
            throw new InvalidInputException($"The text encoder in {_folder} takes {most} tokens, not {ids.shape[1]}.");
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (ids.min().AsInt64() < 0 || ids.max().AsInt64() >= _network.Vocabulary)
        {
            throw new InvalidInputException($"The tokenizer gives ids up to {ids.max().AsInt64()}, the text encoder in {_folder} knows "
                + $"{_network.Vocabulary}: they do not belong together.");
        }

        _weights ??= Read();
        Tensor[] weights = [.. _network.Layout.Specs.Select(spec => _weights[spec.Name])];
        var states = _network.Forward(
            new ForwardPass(weights, weights, null), ids.to(_options.Device), mask?.to(_options.Device), layer);
        return states with { Hidden = states.Hidden.MoveToOuterDisposeScope(), Pooled = states.Pooled?.MoveToOuterDisposeScope() };
    }

    public void Dispose()
    {
        _weights?.Dispose();
        _flat?.Dispose();
    }

    // The file's own tensors, whose matrices are widened where they are used: as much memory as the file.
    private TensorsByName Read()
    {
        var tensors = ReadFile();
        try
        {
            ForeignWeights.Fit(_network.Layout, tensors, Weights.Path);
            if (_options.Device.type == TorchSharp.DeviceType.CPU)
                return tensors;
            foreach (string name in tensors.Keys.ToList())
            {
                using var before = tensors[name];
                tensors[name] = before.to(_options.Device).DetachFromDisposeScope();
            }

            return tensors;
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }

    private Tensor Flatten()
    {
        using var tensors = ReadFile();
        using var scope = NewDisposeScope();
        return ForeignWeights.Flatten(_network.Layout, tensors, Weights.Path).to(_options.Device).DetachFromDisposeScope();
    }

    private TensorsByName ReadFile()
    {
        var tensors = Weights.Read(_network.Layout);
        try
        {
            foreach (string name in _network.Redundant)
            {
                if (tensors.Remove(name, out Tensor? redundant))
                    redundant.Dispose();
            }

            foreach (var (lora, scale) in _options.Loras)
                lora.Fuse(tensors, _options.Part, scale);
            return tensors;
        }
        catch
        {
            tensors.Dispose();
            throw;
        }
    }
}

/// <summary>How a text encoder is read.</summary>
internal sealed record TextEncoderOptions
{
    /// <summary>Where it computes: the processor by default.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Variant of the weights (<c>fp16</c>), where there are such; null for those without one, or the most usual.</summary>
    public string? Variant { get; init; }

    /// <summary>Weights that lie elsewhere than the configuration; null (default) for those beside it.</summary>
    public IPartWeights? Weights { get; init; }

    /// <summary>LoRAs that are fused into the weights, each at a scale; the caller owns them, until the first text is encoded.</summary>
    public IReadOnlyList<(LoraFile Lora, double Scale)> Loras { get; init; } = [];

    /// <summary>The part of a LoRA that is this encoder's.</summary>
    public LoraPart Part { get; init; } = LoraPart.TextEncoder;
}

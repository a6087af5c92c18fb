using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Text;

/// <summary>Prompts to embeddings, as the pipelines of Stable Diffusion 1, 2 and XL make them: tokenizers and text encoders of a folder of
/// diffusers. Keeps none of them. Safe to use from several threads.</summary>
internal sealed class TextEncoding : IPromptEncoder, IDisposable
{
    private const string Third = "text_encoder_3";
    private const int PromptsOfBatch = 16;

    private static readonly (string Encoder, string Tokenizer, LoraPart Part)[] Folders =
        [("text_encoder", "tokenizer", LoraPart.TextEncoder), ("text_encoder_2", "tokenizer_2", LoraPart.SecondTextEncoder)];

    private readonly Lock _lock = new();
    private readonly Branch[] _branches;
    private readonly TextEncodingOptions _options;
    private readonly bool _isXl, _emptyIsZero;

    private TextEncoding(Branch[] branches, bool isXl, bool emptyIsZero, TextEncodingOptions options)
        => (_branches, _isXl, _emptyIsZero, _options) = (branches, isXl, emptyIsZero, options);

    /// <summary>Tokens of an embedding, padding included.</summary>
    public int Length => _branches[0].Length;

    /// <summary>Channels of an embedding, and of the pooled one where the model is told such.</summary>
    public TextWidths Widths
        => new(_branches.Sum(branch => branch.Encoder.Network.Width), _isXl ? _branches[^1].Encoder.Network.PooledWidth : null);

    /// <inheritdoc/>
    public string Hash => field ??= Sha256.Of(string.Join('\n', [.. _branches.Select(branch => branch.Encoder.Hash),
        .. _branches.Select(branch => branch.Tokenizer.Hash), InvariantText.Of($"{_emptyIsZero} {_options.ClipSkip} {_options.Told}")]));

    /// <summary>Why prompts of a pipeline cannot be encoded whatever its files hold, in one sentence; null where they can be.</summary>
    /// <param name="pipeline">Folder of the pipeline.</param>
    public static string? Obstacle(string pipeline)
    {
        string[] encoders = [.. Folders.Select(f => f.Encoder).Append(Third).Where(part => HasConfig(pipeline, part))];
        if (encoders.Length == 0)
        {
            return $"{pipeline} has no text encoder ({Folders[0].Encoder}/{DiffusersPipeline.ConfigName} is missing), so it takes no "
                + "prompts. Give the folder of the whole pipeline.";
        }

        foreach (string part in encoders)
        {
            string folder = Path.Combine(pipeline, part);
            string? name = OtherNetworks.ClassOf(JsonFile.ReadPython(Path.Combine(folder, DiffusersPipeline.ConfigName)));
            if (name is not null && !TextEncoder.ClipClasses.Contains(name))
            {
                return $"{folder} holds {OtherNetworks.OfClass(name)}, whose tokenizer is not read, so prompts are not encoded; read are "
                    + "those of CLIP (Stable Diffusion 1, 2 and XL).";
            }
        }

        return encoders.Contains(Third) ? $"{pipeline} is a pipeline with three text encoders; read are those with one or two of CLIP's."
            : null;
    }

    /// <summary>Reads configurations and tokenizers of a pipeline; the caller owns the result. Weights are read by the first
    /// prompt.</summary>
    public static TextEncoding Open(string pipeline, TextEncodingOptions? options = null)
    {
        options ??= new();
        if (Obstacle(pipeline) is string obstacle)
            throw new InvalidInputException(obstacle);
        var branches = new List<Branch>();
        try
        {
            foreach (var (encoder, tokenizer, part) in Folders)
            {
                if (HasConfig(pipeline, encoder))
                    branches.Add(Branch.Open(Path.Combine(pipeline, encoder), Path.Combine(pipeline, tokenizer), part, options));
            }

            bool isXl = HasConfig(pipeline, Folders[1].Encoder);
            if (branches[^1].Encoder.Projects != isXl || branches.Exists(b => b.Length != branches[0].Length))
            {
                throw new InvalidInputException($"{pipeline}: its text encoders are neither one without a projection (Stable Diffusion 1 "
                    + "and 2) nor such with one in text_encoder_2 and texts of one length (XL); others are not known here.");
            }

            return new TextEncoding([.. branches], isXl, isXl && DiffusersPipeline.EmptyPromptIsZero(pipeline), options);
        }
        catch
        {
            foreach (var branch in branches)
                branch.Encoder.Dispose();
            throw;
        }
    }

    /// <summary>Embeddings of prompts: <see cref="NetworkCondition.Context"/> float32 [K,L,D] and, of XL,
    /// <see cref="NetworkCondition.Pooled"/> [K,P] and <see cref="NetworkCondition.Sizes"/> [K,6]. The empty prompt gives zeros where the
    /// pipeline of XL was trained with those.</summary>
    /// <returns>On the options' device, in the current dispose scope.</returns>
    public NetworkCondition Encode(IReadOnlyList<string> prompts)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompts.Count, nameof(prompts));
        lock (_lock)
        {
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            return NetworkCondition.Joined([.. prompts.Chunk(PromptsOfBatch).Select(EncodeBatch)])
                .Each(told => told.MoveToOuterDisposeScope());
        }
    }

    /// <summary>Number of prompts that have more tokens than the encoders read, and lose their ends.</summary>
    public int CountCut(IEnumerable<string> prompts)
        => prompts.Count(prompt => Array.Exists(_branches, branch => branch.Tokenizer.Encode(prompt).Count > branch.Length));

    public void Dispose()
    {
        foreach (var branch in _branches)
            branch.Encoder.Dispose();
    }

    private static bool HasConfig(string pipeline, string part)
        => File.Exists(Path.Combine(pipeline, part, DiffusersPipeline.ConfigName));

    private NetworkCondition EncodeBatch(string[] prompts)
    {
        using var scope = NewDisposeScope();
        var layer = _isXl ? TextLayer.Penultimate : TextLayer.Last;
        layer = layer with { Skipped = layer.Skipped + _options.ClipSkip };
        var states = _branches.Select(branch => branch.Encoder.Encode(branch.Ids(prompts), layer)).ToList();
        var told = new NetworkCondition
        {
            Context = states.Count == 1 ? states[0].Hidden : cat([.. states.Select(s => s.Hidden)], -1),
            Pooled = _isXl ? states[^1].Pooled : null,
        };
        if (_emptyIsZero && prompts.Contains(""))
        {
            var filled = tensor(prompts.Select(prompt => prompt.Length > 0 ? 1f : 0f).ToArray(), device: _options.Device);
            told = new() { Context = told.Context * filled.view(-1, 1, 1), Pooled = told.Pooled! * filled.view(-1, 1) };
        }

        if (_isXl && _options.Told is { } shape)
            told = told with { Sizes = SizesOf(shape).to(_options.Device).expand(prompts.Length, -1) };
        return told.Each(part => part.MoveToOuterDisposeScope());
    }

    /// <summary>What a network of XL is told of images that are neither cropped nor scaled: float32 [1,6].</summary>
    public static Tensor SizesOf(ImageShape images)
        => tensor(new float[] { images.Height, images.Width, 0, 0, images.Height, images.Width }).unsqueeze(0);

    private sealed record Branch(TextEncoder Encoder, ClipTokenizer Tokenizer, int Length)
    {
        /// <summary>int64 [K,L].</summary>
        public Tensor Ids(string[] prompts)
        {
            long[] padded = [.. prompts.SelectMany(prompt => Tokenizer.Padded(Tokenizer.Encode(prompt), Length))];
            return tensor(padded).view(prompts.Length, Length);
        }

        public static Branch Open(string encoderFolder, string tokenizerFolder, LoraPart part, TextEncodingOptions options)
        {
            var encoder = TextEncoder.Open(encoderFolder, new TextEncoderOptions
            { Device = options.Device, Variant = options.Variant, Loras = options.Loras, Part = part });
            var tokenizer = ClipTokenizer.Open(tokenizerFolder);
            int positions = encoder.Network.Positions!.Value, length = tokenizer.Length ?? positions;
            return length <= positions ? new Branch(encoder, tokenizer, length) : throw new InvalidInputException(
                $"{tokenizerFolder} makes texts of {length} tokens, the encoder beside it takes {positions}: they do not belong together.");
        }
    }
}

/// <summary>How prompts are encoded.</summary>
internal sealed record TextEncodingOptions
{
    /// <summary>Where encoders compute and embeddings lie: the processor by default.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Last layers of the encoders that are left out besides those that the model leaves out itself: 1 is what other programs call
    /// a clip skip of 2.</summary>
    public int ClipSkip { get; init; }

    /// <summary>Shape of the images, whose sizes a network of XL is told; null for none.</summary>
    public ImageShape? Told { get; init; }

    /// <inheritdoc cref="TextEncoderOptions.Variant"/>
    public string? Variant { get; init; }

    /// <inheritdoc cref="TextEncoderOptions.Loras"/>
    public IReadOnlyList<(LoraFile Lora, double Scale)> Loras { get; init; } = [];
}

using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Text;

/// <summary>Prompts to embeddings, as the pipelines of Stable Diffusion 1, 2, XL, 3 and 3.5 and of Flux make them: tokenizers and text
/// encoders of a folder of diffusers. Keeps none of them. Safe to use from several threads.</summary>
internal sealed class TextEncoding : IPromptEncoder, IDisposable
{
    private const int PromptsOfBatch = 16, PromptsOfT5 = 4; // whose texts are longer, and layers wider

    // Tokens of T5 in diffusers' pipelines.
    private const int TokensOfStableDiffusion3 = 256, TokensOfFlux = 512;

    /// <summary>Folders of a pipeline's text encoders with their tokenizers, and the parts of LoRAs that are theirs, which have no names
    /// for the third.</summary>
    public static IReadOnlyList<(string Encoder, string Tokenizer, LoraPart? Part)> Folders { get; } =
    [
        ("text_encoder", "tokenizer", LoraPart.TextEncoder), ("text_encoder_2", "tokenizer_2", LoraPart.SecondTextEncoder),
        ("text_encoder_3", "tokenizer_3", null),
    ];

    private readonly Lock _lock = new();
    private readonly Branch[] _branches;
    private readonly TextEncodingOptions _options;
    private readonly TextRecipe _recipe;
    private readonly bool _emptyIsZero;

    private TextEncoding(Branch[] branches, TextRecipe recipe, bool emptyIsZero, TextEncodingOptions options)
        => (_branches, _recipe, _emptyIsZero, _options) = (branches, recipe, emptyIsZero, options);

    /// <summary>Channels of an embedding, and of the pooled one where the model is told such.</summary>
    public TextWidths Widths => _recipe switch
    {
        TextRecipe.StableDiffusion => new(ClipWidth, null),
        TextRecipe.XL => new(ClipWidth, _branches[^1].Encoder.PooledWidth),
        TextRecipe.StableDiffusion3
            => new(T5?.Encoder.Width ?? _options.Context!.Value, Clips.Sum(branch => branch.Encoder.PooledWidth)),
        _ => new(T5!.Encoder.Width, _branches[0].Encoder.PooledWidth),
    };

    /// <summary>Whether the network is told the sizes of images.</summary>
    public bool TellsSizes => _recipe == TextRecipe.XL;

    /// <summary>What was assumed.</summary>
    public IReadOnlyList<string> Remarks => _recipe != TextRecipe.StableDiffusion3 || T5 is not null ? []
        : [$"There is no {Folders[2].Encoder} (T5): zeros stand for its part of every text, as in diffusers."];

    /// <inheritdoc/>
    public string Hash => field ??= Sha256.Of(string.Join('\n', [.. _branches.Select(branch => branch.Encoder.Hash),
        .. _branches.Select(branch => branch.Tokenizer.Hash), InvariantText.Of($"{_emptyIsZero} {_options.ClipSkip} {_options.Told}"),
        .. TextOfT5]));

    /// <summary>What tells the parts from others, by their folders; of XL also what the empty prompt stands for.</summary>
    public IReadOnlyDictionary<string, string> Parts => field ??= _branches
        .SelectMany(branch => new[] { (branch.Folder, branch.Encoder.Hash), (branch.TokenizerFolder, branch.Tokenizer.Hash) })
        .Concat(_recipe == TextRecipe.XL ? [(PipelineMemory.EmptyPrompt, _emptyIsZero ? "zeros" : "encoded")] : [])
        .ToDictionary(StringComparer.Ordinal);

    // Of T5 the number of tokens counts too; for others nothing is said, which keeps their hashes.
    private string[] TextOfT5 => _recipe is TextRecipe.StableDiffusion3 or TextRecipe.Flux
        ? [InvariantText.Of($"{_recipe} {Tokens} {_options.Context}")] : [];

    private Branch[] Clips => [.. _branches.Where(branch => !branch.Encoder.IsT5)];
    private Branch? T5 => Array.Find(_branches, branch => branch.Encoder.IsT5);
    private int ClipWidth => Clips.Sum(branch => branch.Encoder.Width);
    private int Tokens => T5?.Length ?? _options.Tokens ?? TokensOfStableDiffusion3;

    /// <summary>Why prompts of a pipeline cannot be encoded whatever its files hold, in one sentence; null where they can be.</summary>
    /// <param name="pipeline">Folder of the pipeline.</param>
    public static string? Obstacle(string pipeline)
    {
        string[] encoders = [.. Folders.Select(f => f.Encoder).Where(part => HasConfig(pipeline, part))];
        if (encoders.Length == 0)
        {
            return $"{pipeline} has no text encoder ({Folders[0].Encoder}/{DiffusersPipeline.ConfigName} is missing), so it takes no "
                + "prompts. Give the folder of the whole pipeline.";
        }

        foreach (string part in encoders)
        {
            string folder = Path.Combine(pipeline, part);
            string? name = OtherNetworks.ClassOf(JsonFile.ReadPython(Path.Combine(folder, DiffusersPipeline.ConfigName)));
            if (name is not null && !TextEncoder.Classes.Contains(name))
            {
                return $"{folder} holds {OtherNetworks.OfClass(name)}, which is not read, so prompts are not encoded; read are "
                    + $"{string.Join(", ", TextEncoder.Classes)}.";
            }
        }

        return null;
    }

    /// <summary>Reads configurations and tokenizers of a pipeline; the caller owns the result. Weights are read by the first
    /// prompt.</summary>
    public static TextEncoding Open(string pipeline, TextEncodingOptions? options = null)
    {
        var given = options ?? new();
        return Obstacle(pipeline) is string obstacle ? throw new InvalidInputException(obstacle) : Open(pipeline, given, OpenEncoder);

        TextEncoder? OpenEncoder(string folder, LoraPart? part)
        {
            if (!HasConfig(pipeline, folder))
                return null;
            var own = new TextEncoderOptions
            { Device = given.Device, Variant = given.Variant, Weights = given.Weights?.GetValueOrDefault(folder) };
            return TextEncoder.Open(
                Path.Combine(pipeline, folder), part is null ? own : own with { Loras = given.Loras, Part = part.Value });
        }
    }

    /// <summary>Reads tokenizers of a pipeline whose encoders somebody opens; the caller owns the result, and they belong to it.</summary>
    /// <param name="open">Opens the encoder in a folder of the pipeline, to which a part of LoRAs belongs; null where there is
    /// none.</param>
    public static TextEncoding Open(string pipeline, TextEncodingOptions options, Func<string, LoraPart?, ITextEncoder?> open)
    {
        var encoders = new List<(int Place, ITextEncoder Encoder, string Folder, string Tokenizer)>();
        try
        {
            foreach (var (place, (folder, tokenizer, part)) in Folders.Index())
            {
                if (open(folder, part) is { } encoder)
                    encoders.Add((place, encoder, folder, tokenizer));
            }

            var recipe = RecipeOf(pipeline, encoders.Select(e => (e.Place, e.Encoder)), options);
            int tokens = options.Tokens ?? (recipe == TextRecipe.Flux ? TokensOfFlux : TokensOfStableDiffusion3);
            var branches = encoders.Select(e => Branch.Open(pipeline, e.Encoder, e.Folder, e.Tokenizer, tokens)).ToArray();
            var encoding = new TextEncoding(
                branches, recipe, recipe == TextRecipe.XL && DiffusersPipeline.EmptyPromptIsZero(pipeline), options);
            encoding.Check(pipeline);
            return encoding;
        }
        catch
        {
            encoders.ForEach(e => e.Encoder.Dispose());
            throw;
        }
    }

    /// <summary>Embeddings of prompts: <see cref="NetworkCondition.Context"/> float32 [K,L,D], of all but Stable Diffusion 1 and 2
    /// <see cref="NetworkCondition.Pooled"/> [K,P], and of XL <see cref="NetworkCondition.Sizes"/> [K,6]. The empty prompt gives zeros
    /// where the pipeline of XL was trained with those.</summary>
    /// <returns>On the options' device, in the current dispose scope.</returns>
    public NetworkCondition Encode(IReadOnlyList<string> prompts)
    {
        ArgumentOutOfRangeException.ThrowIfZero(prompts.Count, nameof(prompts));
        lock (_lock)
        {
            using var noGradient = no_grad();
            using var scope = NewDisposeScope();
            return NetworkCondition.Joined([.. prompts.Chunk(T5 is null ? PromptsOfBatch : PromptsOfT5).Select(EncodeBatch)])
                .Each(told => told.MoveToOuterDisposeScope());
        }
    }

    /// <summary>Numbers of prompts that have more tokens than encoders read, and lose their ends for those.</summary>
    /// <returns>For each length of texts, in the encoders' order, that some are cut to.</returns>
    public IReadOnlyList<(int Length, int Prompts)> CountCut(IEnumerable<string> prompts)
    {
        var lengths = _branches.GroupBy(branch => branch.Length).ToList();
        var cut = lengths.ConvertAll(_ => 0);
        foreach (string prompt in prompts)
        {
            for (int i = 0; i < lengths.Count; i++)
                cut[i] += lengths[i].Any(branch => branch.Tokenizer.Encode(prompt).Count > branch.Length) ? 1 : 0;
        }

        return [.. lengths.Select((group, i) => (group.Key, cut[i])).Where(l => l.Item2 > 0)];
    }

    public void Dispose()
    {
        foreach (var branch in _branches)
            branch.Encoder.Dispose();
    }

    private static bool HasConfig(string pipeline, string part)
        => File.Exists(Path.Combine(pipeline, part, DiffusersPipeline.ConfigName));

    // Which pipeline it is, by its encoders: what they are, and whether they project what they pool.
    private static TextRecipe RecipeOf(
        string pipeline, IEnumerable<(int Place, ITextEncoder Encoder)> encoders, TextEncodingOptions options)
    {
        string kinds = string.Join(' ', encoders.Select(e => InvariantText.Of(
            $"{e.Place}{(e.Encoder.IsT5 ? "T5" : e.Encoder.Projects ? "projects" : "states")}")));
        return kinds switch
        {
            "0states" => TextRecipe.StableDiffusion,
            "1projects" or "0states 1projects" => TextRecipe.XL,
            "0projects 1projects 2T5" => TextRecipe.StableDiffusion3,
            "0projects 1projects" when options.Context is not null => TextRecipe.StableDiffusion3,
            "0states 1T5" => TextRecipe.Flux,
            _ => throw new InvalidInputException($"{pipeline}: its text encoders are neither one without a projection (Stable Diffusion 1 "
                + "and 2), nor such with one in text_encoder_2 (XL), two with one and T5 (3 and 3.5), nor one without and T5 (Flux); "
                + "others are not known here, or one is missing."),
        };
    }

    private void Check(string pipeline)
    {
        if (_recipe != TextRecipe.Flux && Clips.Select(branch => branch.Length).Distinct().Count() > 1)
            throw new InvalidInputException($"{pipeline}: its tokenizers make texts of several lengths; others are not known here.");
        if (_recipe == TextRecipe.StableDiffusion3 && ClipWidth > Widths.Context)
        {
            throw new InvalidInputException($"{pipeline}: its encoders of CLIP give {ClipWidth} numbers a token, more than the "
                + $"{Widths.Context} of T5's, among which they are told. They do not belong together.");
        }
    }

    private NetworkCondition EncodeBatch(string[] prompts)
    {
        using var scope = NewDisposeScope();
        var told = _recipe switch
        {
            TextRecipe.StableDiffusion => new NetworkCondition { Context = States(_branches[0], prompts, TextLayer.Last).Hidden },
            TextRecipe.XL => OfXL(prompts),
            TextRecipe.StableDiffusion3 => OfStableDiffusion3(prompts),
            _ => new()
            {
                Context = States(T5!, prompts, TextLayer.Last).Hidden,
                Pooled = States(_branches[0], prompts, TextLayer.Last).Pooled,
            },
        };
        return told.Each(part => part.MoveToOuterDisposeScope());
    }

    private NetworkCondition OfXL(string[] prompts)
    {
        var states = Clips.Select(branch => States(branch, prompts, TextLayer.Penultimate)).ToList();
        var told = new NetworkCondition { Context = cat([.. states.Select(s => s.Hidden)], -1), Pooled = states[^1].Pooled };
        if (_emptyIsZero && prompts.Contains(""))
        {
            var filled = tensor(prompts.Select(prompt => prompt.Length > 0 ? 1f : 0f).ToArray(), device: _options.Device);
            told = new() { Context = told.Context * filled.view(-1, 1, 1), Pooled = told.Pooled! * filled.view(-1, 1) };
        }

        return _options.Told is not { } shape ? told
            : told with { Sizes = SizesOf(shape).to(_options.Device).expand(prompts.Length, -1) };
    }

    // CLIP's states side by side, filled up with zeros to the width of T5's, which follow them.
    private NetworkCondition OfStableDiffusion3(string[] prompts)
    {
        var states = Clips.Select(branch => States(branch, prompts, TextLayer.Penultimate)).ToList();
        int width = Widths.Context;
        var clip = nn.functional.pad(cat([.. states.Select(s => s.Hidden)], -1), [0, width - ClipWidth]);
        var t5 = T5 is { } branch ? States(branch, prompts, TextLayer.Last).Hidden
            : zeros([prompts.Length, Tokens, width], float32, _options.Device);
        return new() { Context = cat([clip, t5], 1), Pooled = cat([.. states.Select(s => s.Pooled!)], -1) };
    }

    private TextStates States(Branch branch, string[] prompts, TextLayer layer)
    {
        int skip = branch.Encoder.IsT5 ? 0 : _options.ClipSkip;
        return branch.Encoder.Encode(branch.Ids(prompts), layer with { Skipped = layer.Skipped + skip });
    }

    /// <summary>What a network of XL is told of images that are neither cropped nor scaled: float32 [1,6].</summary>
    public static Tensor SizesOf(ImageShape images)
        => tensor(new float[] { images.Height, images.Width, 0, 0, images.Height, images.Width }).unsqueeze(0);

    private enum TextRecipe
    {
        /// <summary>1 and 2: the last state of one encoder.</summary>
        StableDiffusion,

        /// <summary>The states before the last layers side by side, and the second's projection.</summary>
        XL,

        /// <summary>3 and 3.5: those of two encoders of CLIP with both projections, then T5's.</summary>
        StableDiffusion3,

        /// <summary>T5's states, and what CLIP pools.</summary>
        Flux,
    }

    private sealed record Branch(ITextEncoder Encoder, string Folder, ITokenizer Tokenizer, string TokenizerFolder, int Length)
    {
        /// <summary>int64 [K,L].</summary>
        public Tensor Ids(string[] prompts)
        {
            long[] padded = [.. prompts.SelectMany(prompt => Tokenizer.Padded(Tokenizer.Encode(prompt), Length))];
            return tensor(padded).view(prompts.Length, Length);
        }

        /// <param name="tokens">Length of T5's texts; CLIP's is their own.</param>
        public static Branch Open(string pipeline, ITextEncoder encoder, string folder, string tokenizerFolder, int tokens)
        {
            string at = Path.Combine(pipeline, tokenizerFolder);
            if (encoder.Positions is not int positions)
                return new Branch(encoder, folder, T5Tokenizer.Open(at), tokenizerFolder, tokens);
            var tokenizer = ClipTokenizer.Open(at);
            int length = tokenizer.Length ?? positions;
            return length <= positions ? new Branch(encoder, folder, tokenizer, tokenizerFolder, length)
                : throw new InvalidInputException($"{at} makes texts of {length} tokens, the encoder beside it takes {positions}: they do "
                    + "not belong together.");
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

    /// <summary>Tokens of T5's texts, padding included; null for the pipelines' own: 256 of Stable Diffusion 3, 512 of Flux.</summary>
    public int? Tokens { get; init; }

    /// <summary>Numbers of a token's embedding that the network is told, which zeros in place of T5's are made by; null where that is not
    /// known.</summary>
    public int? Context { get; init; }

    /// <summary>Shape of the images, whose sizes a network of XL is told; null for none.</summary>
    public ImageShape? Told { get; init; }

    /// <inheritdoc cref="TextEncoderOptions.Variant"/>
    public string? Variant { get; init; }

    /// <summary>Weights of encoders that lie elsewhere than in the pipeline's folders, by the names of those; null (default) for
    /// none.</summary>
    public IReadOnlyDictionary<string, IPartWeights>? Weights { get; init; }

    /// <inheritdoc cref="TextEncoderOptions.Loras"/>
    public IReadOnlyList<(LoraFile Lora, double Scale)> Loras { get; init; } = [];
}

namespace FewStep.Networks;

/// <summary>A U-Net over its plan. Architectures differ in their embedding, in what changes the resolution, and in the end.</summary>
internal abstract class UNet(IUNetOptions options) : Network
{
    private readonly List<Layer> _layers = [];
    private Func<ForwardPass, Tensor, Tensor?, Tensor>? _embed;
    private Layer? _end;

    /// <summary>Evaluates a layer on x, which a skip connection has joined.</summary>
    protected delegate Tensor Layer(ForwardPass pass, Tensor x, State state);

    public List<UNetLayer> Plan { get; } = UNetPlan.Of(options);
    public sealed override double Dropout => options.Dropout;

    public sealed override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, Tensor? classes)
    {
        var state = new State(_embed!(pass, noiseLabels, classes), x);
        var skips = new Stack<Tensor>();
        foreach (var (place, layer) in Plan.Zip(_layers))
        {
            if (pass.Encoded is not null && place.Role > UNetRole.Middle)
                return x;
            x = layer(pass, place.JoinsSkip ? cat([x, skips.Pop()], 1) : x, state);
            if (place.IsEncoder)
                skips.Push(x);
            if (pass.Encoded is not null)
                pass.Encoded[place.Role == UNetRole.Middle ? int.MaxValue : place.Level] = x;
        }

        return _end!(pass, x, state);
    }

    /// <summary>Makes the layers and, after them, the end: parameters come in this order, those of the embedding first.</summary>
    /// <param name="embed">Embeds noise labels [B], float32, and classes int64 [B], or null.</param>
    protected void Lay(
        Func<ForwardPass, Tensor, Tensor?, Tensor> embed, Func<UNetLayer, NetworkBuilder, Layer> make, Func<Layer> makeEnd)
    {
        _embed = embed;
        foreach (var place in Plan)
            _layers.Add(make(place, Builder.At(place.Prefix)));
        _end = makeEnd();
    }

    /// <summary>The layer of augmentation labels. Without them the reference skips it; its weight stays part of the checkpoint.</summary>
    protected void LayAugmentation(int dimension, int outChannels, WeightInit init)
        => _ = dimension > 0 ? new Linear(Builder.At("map_augment"), dimension, outChannels, init, bias: false) : null;

    /// <summary>Sines before cosines, where the embedding has the cosines first.</summary>
    protected static Tensor Swapped(Tensor embedding)
    {
        var halves = embedding.chunk(2, 1);
        return cat([halves[1], halves[0]], 1);
    }

    /// <summary>Adds the embedding of the class, where there are classes.</summary>
    protected static Tensor WithClass(ForwardPass pass, Tensor embedding, Linear? label, Tensor? classes, double scale = 1)
    {
        if (label is null)
            return embedding;
        var oneHot = OneHot(classes, embedding.shape[0], label.InFeatures, embedding.device);
        return embedding.Plus(label.Forward(pass, scale == 1 ? oneHot : oneHot.Times(scale)));
    }

    protected static Layer Block(UNetLayer place, NetworkBuilder at, UNetBlockOptions options)
    {
        var block = new UNetBlock(at, place, options);
        return (pass, x, state) => block.Forward(pass, x, state.Embedding);
    }

    protected static Layer Convolution(Conv2d convolution) => (pass, x, _) => convolution.Forward(pass, x);

    /// <summary>What an evaluation hands from layer to layer beside the features.</summary>
    protected sealed class State(Tensor embedding, Tensor image)
    {
        public Tensor Embedding { get; } = embedding;

        /// <summary>The input on its auxiliary way down.</summary>
        public Tensor Image { get; set; } = image;

        /// <summary>The output on its auxiliary way up; null before it begins.</summary>
        public Tensor? Output { get; set; }
    }
}

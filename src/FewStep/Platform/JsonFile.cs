using System.Reflection;
using System.Text.Json.Serialization.Metadata;

namespace FewStep.Platform;

/// <summary>The one way this program reads and writes JSON: snake_case names, enums as snake_case text, indented, full double
/// precision.</summary>
internal static class JsonFile
{
    private const long MaximumBytes = 64 << 20;

    /// <summary>Serializer options of every JSON file and of the <c>--json</c> output.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new NumberFormatConverter(),
            new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false) },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        WriteIndented = true,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { JsonShapeAttribute.Complete } },
    };

    /// <summary>Reads a file of at most 64 MiB.</summary>
    public static T Read<T>(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(InputFile.ReadAll(path, MaximumBytes), Options)
                ?? throw new InvalidInputException($"{path} holds null.");
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{path} is not valid: {JsonProblem.Describe(e)}.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw ReadFailure.Of(path, e);
        }
    }

    public static void Write<T>(string path, T value) => AtomicFile.WriteText(path, JsonSerializer.Serialize(value, Options) + "\n");
}

/// <summary>Tells the serializer what a type's properties do not say.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal abstract class JsonShapeAttribute : Attribute
{
    public static void Complete(JsonTypeInfo type) => type.Type.GetCustomAttribute<JsonShapeAttribute>()?.Shape(type);

    protected abstract void Shape(JsonTypeInfo type);
}

/// <summary>Writes number formats as the command line names them: <c>float32</c>, <c>bfloat16</c>.</summary>
internal sealed class NumberFormatConverter : JsonConverter<ScalarType>
{
    public override ScalarType Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && Enum.TryParse<ScalarType>(reader.GetString(), ignoreCase: true, out var type)
            && Enum.IsDefined(type)
            ? type
            : throw new JsonException("A number format must be a name such as float32 or bfloat16.");

    public override void Write(Utf8JsonWriter writer, ScalarType value, JsonSerializerOptions options)
        => writer.WriteStringValue(value.ToString().ToLowerInvariant());
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace FewStep.Platform;

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

"""The request messages of Google's APIs: every field, its type, and who knows it.

A line names a message, the indented lines below it its fields: `name type`, with
`*` for a list, `map<type>` for a map, and `@` before the initials of the upstreams
that know the field (C ode Assist, D eveloper API, V ertex AI), if not all do.
"""

import re
from dataclasses import dataclass

from tests.simulators.calls import Upstream

_INITIALS: dict[str, Upstream] = {"C": "code_assist", "D": "gemini_api", "V": "vertex"}

_MESSAGES = """
GenerateContentRequest
    contents Content*, systemInstruction Content, tools Tool*, toolConfig ToolConfig
    safetySettings SafetySetting*, generationConfig GenerationConfig, cachedContent string
    labels map<string> @CV, sessionId string @C, serviceTier ServiceTier @DV, store bool @D
    model string @D, modelArmorConfig ModelArmorConfig @V, continuationToken string @DV

CodeAssistGenerate
    model string, project string, userPromptId string, request GenerateContentRequest
    enabledCreditTypes string*
CodeAssistCount
    request CodeAssistCountRequest
CodeAssistCountRequest
    model string, contents Content*
DeveloperCount
    contents Content*, generateContentRequest GenerateContentRequest
VertexCount
    model string, contents Content*, systemInstruction Content, tools Tool*
    generationConfig GenerationConfig, instances Value*
BatchEmbedContents
    requests DeveloperEmbedContent*
DeveloperEmbedContent
    model string, content Content, taskType EmbeddingTask, title string
    outputDimensionality int32
VertexEmbedContent
    content Content, embedContentConfig EmbedContentConfig
EmbedContentConfig
    taskType EmbeddingTask, title string, outputDimensionality int32, autoTruncate bool
Predict
    instances Instance*, parameters PredictParameters
Instance
    content string, taskType EmbeddingTask, title string
PredictParameters
    outputDimensionality int32, autoTruncate bool
LoadCodeAssist
    cloudaicompanionProject string, metadata ClientMetadata, mode LoadMode
OnboardUser
    tierId string, cloudaicompanionProject string, metadata ClientMetadata
ClientMetadata
    ideType IdeType, platform Platform, pluginType PluginType, duetProject string
    ideVersion string, pluginVersion string, updateChannel string, ideName string
RetrieveUserQuota
    project string, userAgent string
ListExperiments
    project string, metadata ClientMetadata
GlobalUserSetting
    cloudaicompanionProject string, freeTierDataCollectionOptin bool

Content
    role string, parts Part*
Part
    text string, inlineData Blob, fileData FileData, functionCall FunctionCall
    functionResponse FunctionResponse, executableCode ExecutableCode
    codeExecutionResult CodeExecutionResult, toolCall ServerTool @D, toolResponse ServerTool @D
    thought bool, thoughtSignature bytes, videoMetadata VideoMetadata
    mediaResolution PartMediaResolution, partMetadata Struct @D
Blob
    mimeType string, data bytes, displayName string
FileData
    mimeType string, fileUri string, displayName string
VideoMetadata
    startOffset string, endOffset string, fps double
PartMediaResolution
    level PartMediaResolution.Level, numTokens int32
FunctionCall
    id string, name string, args Struct, partialArgs Struct* @V, willContinue bool @V
FunctionResponse
    id string, name string, response Struct, parts FunctionResponsePart*
    willContinue bool @D, scheduling FunctionResponse.Scheduling @D
FunctionResponsePart
    inlineData Blob, fileData FileData
ServerTool
    id string, toolType string, args Struct, response Struct
ExecutableCode
    id string, language ExecutableCode.Language, code string
CodeExecutionResult
    id string, outcome CodeExecutionResult.Outcome, output string

Tool
    functionDeclarations FunctionDeclaration*, googleSearch GoogleSearch, urlContext Empty
    codeExecution Empty, googleMaps GoogleMaps, computerUse Struct, fileSearch Struct @D
    mcpServers Struct* @D, googleSearchRetrieval Struct, retrieval Struct @V
    enterpriseWebSearch Struct @V, parallelAiSearch Struct @V, exaAiSearch Struct @V
Empty
GoogleSearch
    timeRangeFilter Interval, searchTypes Struct, excludeDomains string* @V
    blockingConfidence string @V
Interval
    startTime string, endTime string
GoogleMaps
    enableWidget bool, authConfig Struct @V, groundingTypes Struct @V
FunctionDeclaration
    name string, description string, parameters Schema, parametersJsonSchema Value
    response Schema, responseJsonSchema Value, behavior FunctionDeclaration.Behavior
ToolConfig
    functionCallingConfig FunctionCallingConfig, retrievalConfig RetrievalConfig
    includeServerSideToolInvocations bool @D
FunctionCallingConfig
    mode FunctionCallingConfig.Mode, allowedFunctionNames string*
    streamFunctionCallArguments bool @V
RetrievalConfig
    latLng LatLng, languageCode string
LatLng
    latitude double, longitude double
SafetySetting
    category HarmCategory, threshold SafetySetting.HarmBlockThreshold
    method SafetySetting.HarmBlockMethod @V
ModelArmorConfig
    promptTemplateName string, responseTemplateName string

GenerationConfig
    temperature float, topP float, topK float, candidateCount int32, maxOutputTokens int32
    stopSequences string*, seed int32, presencePenalty float, frequencyPenalty float
    responseLogprobs bool, logprobs int32, responseMimeType string, responseSchema Schema
    responseJsonSchema Value, responseModalities GenerationConfig.Modality*
    mediaResolution GenerationConfig.MediaResolution, thinkingConfig ThinkingConfig
    speechConfig SpeechConfig, imageConfig ImageConfig @DV, routingConfig Struct @CV
    modelSelectionConfig Struct @CV, audioTimestamp bool @CV
    enableEnhancedCivicAnswers bool @D, enableAffectiveDialog bool @DV
    audioTranscriptionConfig Struct @DV
ThinkingConfig
    includeThoughts bool, thinkingBudget int32, thinkingLevel ThinkingConfig.ThinkingLevel
SpeechConfig
    voiceConfig VoiceConfig, languageCode string
    multiSpeakerVoiceConfig MultiSpeakerVoiceConfig
VoiceConfig
    prebuiltVoiceConfig PrebuiltVoiceConfig, replicatedVoiceConfig Struct
PrebuiltVoiceConfig
    voiceName string
MultiSpeakerVoiceConfig
    speakerVoiceConfigs SpeakerVoiceConfig*
SpeakerVoiceConfig
    speaker string, voiceConfig VoiceConfig
ImageConfig
    aspectRatio string, imageSize string, personGeneration string @V, prominentPeople string @V
    imageOutputOptions Struct @V
Schema
    type Type, format string, title string, description string, nullable bool, enum string*
    items Schema, minItems int64, maxItems int64, properties map<Schema>, required string*
    propertyOrdering string*, minProperties int64, maxProperties int64, minLength int64
    maxLength int64, pattern string, minimum double, maximum double, anyOf Schema*
    default Value, example Value, additionalProperties Value @CV, defs map<Schema> @CV
    ref string @CV
"""

ENUMS = {
    "Type": "TYPE_UNSPECIFIED STRING NUMBER INTEGER BOOLEAN ARRAY OBJECT NULL",
    "HarmCategory": "HARM_CATEGORY_UNSPECIFIED HARM_CATEGORY_HARASSMENT HARM_CATEGORY_HATE_SPEECH "
    "HARM_CATEGORY_SEXUALLY_EXPLICIT HARM_CATEGORY_DANGEROUS_CONTENT HARM_CATEGORY_CIVIC_INTEGRITY "
    "HARM_CATEGORY_JAILBREAK HARM_CATEGORY_IMAGE_HATE HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT "
    "HARM_CATEGORY_IMAGE_HARASSMENT HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT",
    "SafetySetting.HarmBlockThreshold": "HARM_BLOCK_THRESHOLD_UNSPECIFIED BLOCK_LOW_AND_ABOVE "
    "BLOCK_MEDIUM_AND_ABOVE BLOCK_ONLY_HIGH BLOCK_NONE OFF",
    "SafetySetting.HarmBlockMethod": "HARM_BLOCK_METHOD_UNSPECIFIED SEVERITY PROBABILITY",
    "FunctionCallingConfig.Mode": "MODE_UNSPECIFIED AUTO ANY NONE VALIDATED",
    "FunctionDeclaration.Behavior": "UNSPECIFIED BLOCKING NON_BLOCKING",
    "FunctionResponse.Scheduling": "SCHEDULING_UNSPECIFIED SILENT WHEN_IDLE INTERRUPT",
    "ThinkingConfig.ThinkingLevel": "THINKING_LEVEL_UNSPECIFIED MINIMAL LOW MEDIUM HIGH XHIGH",
    "GenerationConfig.Modality": "MODALITY_UNSPECIFIED TEXT IMAGE AUDIO VIDEO",
    "GenerationConfig.MediaResolution": "MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW "
    "MEDIA_RESOLUTION_MEDIUM MEDIA_RESOLUTION_HIGH",
    "PartMediaResolution.Level": "MEDIA_RESOLUTION_UNSPECIFIED MEDIA_RESOLUTION_LOW "
    "MEDIA_RESOLUTION_MEDIUM MEDIA_RESOLUTION_HIGH MEDIA_RESOLUTION_ULTRA_HIGH",
    "ExecutableCode.Language": "LANGUAGE_UNSPECIFIED PYTHON",
    "CodeExecutionResult.Outcome": "OUTCOME_UNSPECIFIED OUTCOME_OK OUTCOME_FAILED "
    "OUTCOME_DEADLINE_EXCEEDED",
    "EmbeddingTask": "TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY "
    "CLASSIFICATION CLUSTERING QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY",
    "ServiceTier": "UNSPECIFIED STANDARD FLEX PRIORITY",
    "LoadMode": "MODE_UNSPECIFIED FULL_ELIGIBILITY_CHECK HEALTH_CHECK",
    "IdeType": "IDE_UNSPECIFIED VSCODE INTELLIJ VSCODE_CLOUD_WORKSTATION "
    "INTELLIJ_CLOUD_WORKSTATION CLOUD_SHELL GEMINI_CLI",
    "Platform": "PLATFORM_UNSPECIFIED DARWIN_AMD64 DARWIN_ARM64 LINUX_AMD64 LINUX_ARM64 "
    "WINDOWS_AMD64",
    "PluginType": "PLUGIN_UNSPECIFIED CLOUD_CODE GEMINI AIPLUGIN_INTELLIJ AIPLUGIN_STUDIO",
}


@dataclass(frozen=True)
class Field:
    name: str
    type: str
    is_list: bool
    is_map: bool
    upstreams: frozenset[Upstream]

    @property
    def path(self) -> str:
        """The name as it stands in error messages."""
        return snake_case(self.name)


def snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


def _field(text: str) -> Field:
    name, kind, *known = text.split()
    is_map = kind.startswith("map<")
    initials = known[0].removeprefix("@") if known else "CDV"
    return Field(
        name=name,
        type=kind.removeprefix("map<").rstrip("*>"),
        is_list=kind.endswith("*"),
        is_map=is_map,
        upstreams=frozenset(_INITIALS[initial] for initial in initials),
    )


def _messages() -> dict[str, dict[str, Field]]:
    """Each message by name; each field by both of the spellings that protobuf's JSON takes."""
    messages: dict[str, dict[str, Field]] = {}
    fields: dict[str, Field] = {}
    for line in filter(None, _MESSAGES.splitlines()):
        if not line.startswith(" "):
            fields = messages[line] = {}
            continue
        for text in line.split(","):
            field = _field(text)
            fields[field.name] = fields[field.path] = field
    return messages


MESSAGES = _messages()
